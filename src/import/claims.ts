/** Which listener has which address: two cannot have one, and the second one's is dropped. */
import { parseEndpoint } from '../config/address.js';
import { formatAddress, isWildcard } from '../core/endpoint.js';

interface Claim {
  /** Protocol, family and port; sockets that differ in it never meet. */
  readonly key: string;
  readonly host: string;
  readonly wildcard: 'wildcard' | 'one address';
  readonly owner: string;
}

/** Of one key: claims that do not meet, by their hosts; a wildcard is the only one. */
type Hosts = Map<string, Claim>;

export class Claims {
  readonly #claims = new Map<string, Hosts>();

  /** Takes `endpoint` for `owner`; the answer is the owner that has it already, or null. */
  take(protocol: 'tcp' | 'udp', endpoint: string, owner: string): string | null {
    const claim = claimOf(protocol, endpoint, owner);
    const earlier = this.#meeting(claim);
    if (earlier !== null) return earlier.owner;
    const hosts = this.#claims.get(claim.key) ?? new Map();
    this.#claims.set(claim.key, hosts.set(claim.host, claim));
    return null;
  }

  /** Takes nothing. */
  holder(protocol: 'tcp' | 'udp', endpoint: string): string | null {
    return this.#meeting(claimOf(protocol, endpoint, ''))?.owner ?? null;
  }

  #meeting(claim: Claim): Claim | null {
    const hosts = this.#claims.get(claim.key);
    const first = hosts?.values().next().value;
    if (hosts === undefined || first === undefined) return null;
    if (claim.wildcard === 'wildcard' || first.wildcard === 'wildcard') return first;
    return hosts.get(claim.host) ?? null;
  }
}

function claimOf(protocol: 'tcp' | 'udp', text: string, owner: string): Claim {
  const read = parseEndpoint(text);
  if (!read.ok || read.value.kind === 'unix') {
    return { key: 'unix', host: text, wildcard: 'one address', owner };
  }
  const { family, port } = read.value;
  const wildcard = isWildcard(read.value) ? 'wildcard' : 'one address';
  const key = `${protocol} ${family} ${port}`;
  return { key, host: formatAddress(read.value), wildcard, owner };
}
