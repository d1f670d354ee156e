/**
 * Which addresses are this machine's own: what comes from one of them, or goes to one, may be its
 * own doing. Looked up again now and then, because addresses come and go; and only for an address
 * that is not the loopback's.
 */
import { networkInterfaces } from 'node:os';
import { type IpEndpoint, isLoopback, systemEndpoint } from '../core/endpoint.js';

const LOOK_MS = 2_000;

export class OwnAddresses {
  readonly #look: () => Iterable<string> | null;
  #hosts: ReadonlySet<string> = new Set();
  #lookMs = Number.NEGATIVE_INFINITY;

  constructor(look: () => Iterable<string> | null = listed) {
    this.#look = look;
  }

  has(address: IpEndpoint, nowMs: number): boolean {
    if (isLoopback(address)) return true;
    if (nowMs >= this.#lookMs + LOOK_MS) {
      this.#lookMs = nowMs;
      const hosts = this.#look();
      // Unknown at the moment: what was known is the best guess.
      if (hosts !== null) this.#hosts = new Set(hosts);
    }
    return this.#hosts.has(address.host);
  }
}

/** As endpoints have them; null where the kernel does not list them, for want of descriptors. */
function listed(): string[] | null {
  try {
    return Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .flatMap(({ address }) => systemEndpoint(address, 0)?.host ?? []);
  } catch {
    return null;
  }
}
