/**
 * A datagram whose source is a listening socket of this process would be answered to that socket,
 * and the answer would be a client's datagram again, without an end. The kernel lets no such source
 * in from outside (martians), so it was forged on this machine, or two forwarders point at each
 * other. Only the first datagram of a source is looked at, and for most the port is enough.
 */
import type { IpEndpoint } from '../core/endpoint.js';
import { isWildcard } from '../core/endpoint.js';
import type { ListenerKey } from '../session/tcp_port.js';
import { OwnAddresses } from './own_addresses.js';

export class OwnListeners {
  readonly #addresses: OwnAddresses;
  readonly #byKey = new Map<ListenerKey, IpEndpoint>();
  #ports: ReadonlySet<number> = new Set();

  constructor(addresses = new OwnAddresses()) {
    this.#addresses = addresses;
  }

  opened(key: ListenerKey, local: IpEndpoint): void {
    this.#byKey.set(key, local);
    this.#countPorts();
  }

  closed(key: ListenerKey): void {
    this.#byKey.delete(key);
    this.#countPorts();
  }

  /** False: no socket of ours has this port. */
  havePort(port: number): boolean {
    return this.#ports.has(port);
  }

  have(source: IpEndpoint, nowMs: number): boolean {
    for (const local of this.#byKey.values()) {
      if (local.port !== source.port || local.family !== source.family) continue;
      if (local.host === source.host) return true;
      if (isWildcard(local) && this.#addresses.has(source, nowMs)) return true;
    }
    return false;
  }

  #countPorts(): void {
    this.#ports = new Set(Array.from(this.#byKey.values(), ({ port }) => port));
  }
}
