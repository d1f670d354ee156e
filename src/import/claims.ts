/** Who listens where: two listeners cannot have one address, and the second one is told so. */
import { parseEndpoint } from '../config/address.js';
import { formatAddress, isWildcard } from '../core/endpoint.js';

interface Claim {
  /** Protocol, family and port; sockets that differ in it never meet. */
  readonly key: string;
  readonly host: string;
  readonly wildcard: 'wildcard' | 'one address';
  readonly owner: string;
}

export class Claims {
  readonly #claims: Claim[] = [];

  /** Takes `endpoint` for `owner`; the answer is who has it already, or null. */
  take(protocol: 'tcp' | 'udp', endpoint: string, owner: string): string | null {
    const claim = claimOf(protocol, endpoint, owner);
    const earlier = this.#claims.find((one) => meets(one, claim));
    if (earlier !== undefined) return earlier.owner;
    this.#claims.push(claim);
    return null;
  }

  /** Takes nothing. */
  holder(protocol: 'tcp' | 'udp', endpoint: string): string | null {
    const claim = claimOf(protocol, endpoint, '');
    return this.#claims.find((one) => meets(one, claim))?.owner ?? null;
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

function meets(one: Claim, other: Claim): boolean {
  if (one.key !== other.key) return false;
  return one.host === other.host || one.wildcard === 'wildcard' || other.wildcard === 'wildcard';
}
