/** The addresses of names in both families, and what was known of a family that cannot be asked. */
import { type GiveUp, type SourceFailed, sourceFailed } from '../source.js';
import type { Resolvers } from './resolvers.js';
import type { DnsReply } from './wire.js';

const FAMILIES = ['A', 'AAAA'] as const;
/** For an answer that has no TTL: an empty one without a SOA. */
const DEFAULT_TTL_SECONDS = 30;

export interface FoundAddresses {
  readonly kind: 'found';
  readonly hosts: readonly string[];
  readonly ttlSeconds: number;
}

export class AddressLookups {
  readonly #resolvers: Resolvers;
  /** By name and type. */
  #known = new Map<string, FoundAddresses>();
  #used = new Map<string, FoundAddresses>();

  constructor(resolvers: Resolvers) {
    this.#resolvers = resolvers;
  }

  /** A family that fails while the other one answers is as it was: some servers know only one. */
  async of(name: string, giveUp: GiveUp): Promise<FoundAddresses | SourceFailed> {
    const replies = await Promise.all(
      FAMILIES.map((type) => this.#resolvers.ask(name, type, giveUp)),
    );
    const all: FoundAddresses[] = [];
    let failure: SourceFailed | null = null;
    for (const [index, reply] of replies.entries()) {
      const key = `${FAMILIES[index]} ${name}`;
      if (reply.kind === 'failed') failure = reply;
      const found = reply.kind === 'failed' ? this.#known.get(key) : foundIn(reply);
      if (found === undefined) continue;
      this.#used.set(key, found);
      all.push(found);
    }
    const hosts = all.flatMap((found) => found.hosts);
    const isBlind = replies.every(({ kind }) => kind === 'failed') || hosts.length === 0;
    if (failure !== null && isBlind) return failure;
    const ttlSeconds = Math.min(...all.map((found) => found.ttlSeconds));
    return { kind: 'found', hosts, ttlSeconds };
  }

  /** Forgets names that were not asked for since this was called last. */
  tidy(): void {
    this.#known = this.#used;
    this.#used = new Map();
  }
}

export function ttlOf({ ttlSeconds }: DnsReply): number {
  return ttlSeconds ?? DEFAULT_TTL_SECONDS;
}

/**
 * Of many targets, some at a time. A list with a hole is useless: what is in the hole is unknown.
 */
export async function addressesOfAll(
  names: readonly string[],
  addresses: AddressLookups,
  giveUp: GiveUp,
): Promise<ReadonlyMap<string, FoundAddresses> | SourceFailed> {
  const found = new Map<string, FoundAddresses>();
  for (let first = 0; first < names.length; first += AT_ONCE) {
    const some = names.slice(first, first + AT_ONCE);
    const all = await Promise.all(some.map((name) => addresses.of(name, giveUp)));
    for (const [index, one] of all.entries()) {
      if (one.kind === 'failed') return sourceFailed(one.failure, `${some[index]}: ${one.problem}`);
      found.set(some[index] ?? '', one);
    }
  }
  return found;
}

const AT_ONCE = 8;

function foundIn(reply: DnsReply): FoundAddresses {
  const hosts = reply.records.flatMap((record) => (record.type === 'SRV' ? [] : [record.host]));
  return { kind: 'found', hosts, ttlSeconds: ttlOf(reply) };
}
