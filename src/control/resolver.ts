/**
 * Backends given by name: resolved at start, at a reload and again every now and then. A backend
 * has one address; it keeps the one it has for as long as the name still leads there.
 */
import { lookup } from 'node:dns/promises';
import type { Timers } from '../core/clock.js';
import {
  type Address,
  type Endpoint,
  formatAddress,
  type IpEndpoint,
  ipEndpoint,
  systemEndpoint,
} from '../core/endpoint.js';
import type { Log } from '../observe/log.js';

/** Not below common DNS TTLs; getaddrinfo(3) does not tell the TTL itself. */
export const RESOLVE_INTERVAL_MS = 10_000;
/** A name server that does not answer must not hold up a start or a reload. */
const RESOLVE_TIMEOUT_MS = 3_000;

export interface ResolverEvents {
  /** The name has no address now; the last one, if there ever was one, stays in use. */
  failed(name: string, last: Endpoint | null): void;
  changed(name: string, before: string, address: string): void;
}

export class Resolver {
  readonly #events: ResolverEvents;
  readonly #timers: Timers;
  readonly #known = new Map<string, Endpoint>();
  /** Addresses changed that nobody has followed yet. */
  #ahead: 'no' | 'yes' = 'no';

  constructor(timers: Timers, events: ResolverEvents) {
    this.#timers = timers;
    this.#events = events;
  }

  /** The present address; null while the name has none. */
  endpoint(address: Address): Endpoint | null {
    if (address.kind !== 'name') return address;
    return this.#known.get(formatAddress(address)) ?? null;
  }

  /**
   * True while addresses have changed since `followed`. A change that was refused is not forgotten:
   * whoever comes next follows it.
   */
  get isAhead(): boolean {
    return this.#ahead === 'yes';
  }

  /** The daemon uses the present addresses, and no names but those in `addresses`. */
  followed(addresses: readonly Address[]): void {
    this.#ahead = 'no';
    const used = new Set(addresses.map(formatAddress));
    for (const name of this.#known.keys()) if (!used.has(name)) this.#known.delete(name);
  }

  /** Asks again for every name in `addresses`. */
  async refresh(addresses: readonly Address[]): Promise<void> {
    await Promise.all(addresses.map((address) => this.#refreshOne(address)));
  }

  async #refreshOne(address: Address): Promise<void> {
    if (address.kind !== 'name') return;
    const key = formatAddress(address);
    const before = this.#known.get(key);
    const found = await this.#lookup(address.host);
    // What a failing name server does not say is no reason to give up an address that works.
    const first = found[0];
    if (first === undefined) {
      this.#events.failed(key, before ?? null);
      return;
    }
    if (before?.kind === 'ip' && found.some(({ host }) => host === before.host)) return;
    const endpoint = ipEndpoint(first.family, first.host, address.port);
    this.#known.set(key, endpoint);
    this.#ahead = 'yes';
    if (before !== undefined) {
      this.#events.changed(key, formatAddress(before), formatAddress(endpoint));
    }
  }

  /** A link-local address is no use without its zone, and endpoints have none. */
  async #lookup(host: string): Promise<readonly IpEndpoint[]> {
    const limit = new Promise<[]>((resolve) =>
      this.#timers.after(RESOLVE_TIMEOUT_MS, () => resolve([])),
    );
    const answers = lookup(host, { all: true }).catch(() => []);
    return (await Promise.race([answers, limit]))
      .filter(({ address }) => !address.includes('%'))
      .map(({ address }) => systemEndpoint(address, 0))
      .filter((endpoint) => endpoint !== null);
  }
}

/** What the log says of it. */
export function resolvingTold(log: Log): ResolverEvents {
  return {
    failed: (address, last) => {
      const detail =
        last === null
          ? 'it has had no address yet: its backend gets no sessions'
          : `the last address, ${formatAddress(last)}, stays in use`;
      log.event('resolve-failed', { address, detail });
    },
    changed: (name, before, address) => log.event('address-changed', { name, before, address }),
  };
}
