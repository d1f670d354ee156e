/**
 * Backends given by name: resolved at start, at a reload and again every now and then. A backend
 * has one address; it keeps the one it has for as long as the name still leads there, and for as
 * long as no answer says where else it leads. While its probes fail there, the others have their
 * turn.
 */
import type { Timers } from '../core/clock.js';
import {
  type Address,
  type Endpoint,
  formatAddress,
  type IpEndpoint,
  ipEndpoint,
} from '../core/endpoint.js';
import type { HostAnswer, HostLookup } from './host_lookup.js';

/** Not below common DNS TTLs; getaddrinfo(3) does not return the TTL. */
export const RESOLVE_INTERVAL_MS = 10_000;
/** A name server that does not answer must not hold up a start or a reload. */
const RESOLVE_TIMEOUT_MS = 3_000;

export interface ResolverDeps {
  readonly timers: Timers;
  readonly lookup: HostLookup;
  readonly changed: (name: string, before: string, address: string) => void;
  /** Names, as in the file, whose backends are all down: another of its addresses may do. */
  readonly downNames: () => ReadonlySet<string>;
}

type NameAddress = Extract<Address, { readonly kind: 'name' }>;

interface Host {
  /** The one in use; the port is 0. */
  address: IpEndpoint | null;
  /**
   * One at a time: each holds a thread of the system's resolver, of which there are few, and those
   * also read files.
   */
  running: Promise<void> | null;
  /** Of those that the name leads to: given up because probes found them down, in order. */
  given: readonly string[];
  /** Arrived, maybe after the first caller stopped waiting, and not followed yet. */
  answer: HostAnswer | null;
  /** `ahead`: by `ask`, and the next `refresh` takes what came of it. */
  asked: 'no' | 'ahead';
  /** Why the last lookup brought no address; null: it did. */
  problem: string | null;
}

export class Resolver {
  readonly #deps: ResolverDeps;
  readonly #hosts = new Map<string, Host>();
  /** Addresses have changed, and no change has followed them yet. */
  #ahead: 'no' | 'yes' = 'no';

  constructor(deps: ResolverDeps) {
    this.#deps = deps;
  }

  /** The present address; null while the name has none. */
  endpoint(address: Address): Endpoint | null {
    if (address.kind !== 'name') return address;
    const found = this.#hosts.get(address.host)?.address;
    return found === undefined || found === null ? null : at(found, address.port);
  }

  /** Why the name could not be resolved when it was asked for last; null: it could. */
  problem(address: Address): string | null {
    return address.kind === 'name' ? (this.#hosts.get(address.host)?.problem ?? null) : null;
  }

  /**
   * True while addresses have changed since `followed`. A change that was refused is not forgotten:
   * the next change follows it.
   */
  get isAhead(): boolean {
    return this.#ahead === 'yes';
  }

  /** The daemon uses the present addresses, and no names but those in `addresses`. */
  followed(addresses: readonly Address[]): void {
    this.#ahead = 'no';
    const used = new Set(addresses.filter(isName).map(({ host }) => host));
    for (const host of this.#hosts.keys()) if (!used.has(host)) this.#hosts.delete(host);
  }

  /**
   * Asks for every name in `addresses` ahead of the next `refresh`, which does not wait for them
   * then: a name server may be silent for seconds. Changes no address.
   */
  async ask(addresses: readonly Address[]): Promise<void> {
    const names = new Set(addresses.filter(isName).map(({ host }) => host));
    await Promise.all(
      [...names].map(async (name) => {
        const host = this.#host(name);
        await this.#ask(name, host);
        host.asked = 'ahead';
      }),
    );
  }

  /** Asks again for every name in `addresses` that was not asked for ahead. */
  async refresh(addresses: readonly Address[]): Promise<void> {
    const byHost = new Map<string, NameAddress[]>();
    for (const address of addresses.filter(isName)) {
      byHost.set(address.host, [...(byHost.get(address.host) ?? []), address]);
    }
    if (byHost.size === 0) return;
    const down = this.#deps.downNames();
    await Promise.all(
      [...byHost].map(([host, names]) => {
        const isDown = names.every((address) => down.has(formatAddress(address)));
        return this.#refreshOne(host, names, isDown ? 'down' : 'well');
      }),
    );
  }

  async #refreshOne(
    name: string,
    names: readonly NameAddress[],
    state: 'well' | 'down',
  ): Promise<void> {
    const host = this.#host(name);
    if (host.asked === 'no') await this.#ask(name, host);
    host.asked = 'no';
    const { answer, address: before } = host;
    host.answer = null;
    host.problem = problemOf(answer, before);
    const isLost = before !== null && state === 'down';
    host.given = isLost ? [...host.given.filter((one) => one !== before.host), before.host] : [];
    const now = host.problem === null ? chosen(answer, before, host.given) : before;
    if (now === null || now.host === before?.host) return;
    host.address = now;
    this.#ahead = 'yes';
    if (before === null) return;
    for (const address of names) {
      const [was, is] = [at(before, address.port), at(now, address.port)];
      this.#deps.changed(formatAddress(address), formatAddress(was), formatAddress(is));
    }
  }

  #host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host: Host = {
      address: null,
      running: null,
      given: [],
      answer: null,
      asked: 'no',
      problem: null,
    };
    this.#hosts.set(name, host);
    return host;
  }

  /** Waits for an answer, but not for ever: one that comes later is there for the next time. */
  async #ask(name: string, host: Host): Promise<void> {
    const { timers, lookup } = this.#deps;
    host.running ??= lookup(name).then((answer) => {
      host.running = null;
      host.answer = answer;
    });
    let limit = { cancel: (): void => {} };
    const late = new Promise<void>((resolve) => {
      limit = timers.after(RESOLVE_TIMEOUT_MS, resolve);
    });
    await Promise.race([host.running, late]);
    limit.cancel();
  }
}

/** What a name server does not say is no reason to give up an address that works. */
function problemOf(answer: HostAnswer | null, before: IpEndpoint | null): string | null {
  if (answer === null) return `no answer within ${RESOLVE_TIMEOUT_MS / 1000} s`;
  if (answer.kind === 'none') return answer.problem;
  const { addresses, unroutable } = answer;
  if (addresses.length > 0 || before === null || has(unroutable, before)) return null;
  const hosts = unroutable.map(({ host }) => host).join(', ');
  return `it leads to ${hosts}, for which this machine has no route`;
}

/**
 * One that cannot be reached is better than none: what probes say of it is worth knowing. `given`:
 * those that were found down, the longest ago first; all others come before them.
 */
function chosen(
  answer: HostAnswer | null,
  before: IpEndpoint | null,
  given: readonly string[],
): IpEndpoint | null {
  if (answer?.kind !== 'found') return before;
  const { addresses, unroutable } = answer;
  if (given.length > 0) {
    const fresh = addresses.find(({ host }) => !given.includes(host));
    const oldest = given.map((host) => addresses.find((one) => one.host === host));
    return fresh ?? oldest.find((one) => one !== undefined) ?? before;
  }
  if (before !== null && has([...addresses, ...unroutable], before)) return before;
  return addresses[0] ?? unroutable[0] ?? before;
}

function has(endpoints: readonly IpEndpoint[], wanted: IpEndpoint): boolean {
  return endpoints.some(({ host }) => host === wanted.host);
}

function at({ family, host }: IpEndpoint, port: number): IpEndpoint {
  return ipEndpoint(family, host, port);
}

function isName(address: Address): address is NameAddress {
  return address.kind === 'name';
}
