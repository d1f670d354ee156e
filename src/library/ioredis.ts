/**
 * `sluice/ioredis`: what `new Redis({ Connector })` takes. ioredis connects again by itself when a
 * connection ends, or none came about; each time the balancer chooses.
 */
import type { ConnectionOptions } from 'node:tls';
import { holdingTimers, systemTimers } from '../system/timers.js';
import {
  type AdapterOptions,
  type Connects,
  connectOptionsOf,
  mustBeBalancer,
} from './adapter_balancer.js';
import { LateSocket } from './late_socket.js';
import { secured } from './secured.js';

export type IoredisOptions = AdapterOptions;

/** What is read of the options of `new Redis`. */
interface ClientOptions {
  readonly tls?: ConnectionOptions;
  /** How long a server may take to end the connection after the client has. */
  readonly disconnectTimeout?: number;
}

const DISCONNECT_MS = 2_000;

/**
 * `new Redis({ Connector: ioredisConnector(balancer) })`. `C` is what that takes: a class with
 * private members, which no other class has for TypeScript.
 */
export function ioredisConnector<C>(balancer: Connects, options?: IoredisOptions): C {
  mustBeBalancer(balancer);
  const asked = connectOptionsOf(options);
  class BalancedConnector {
    readonly #client: ClientOptions;
    #stream: LateSocket | null = null;

    constructor(client: ClientOptions) {
      this.#client = client;
    }

    check(): boolean {
      return true;
    }

    /** Never rejects: ioredis would end for good. Without a backend the stream fails, as a dial. */
    async connect(): Promise<LateSocket> {
      const { tls } = this.#client;
      const stream = new LateSocket(async (about) => {
        const socket = await balancer.connect({ ...asked, ...about });
        return tls === undefined ? socket : secured(socket, tls);
      });
      this.#stream = stream;
      // ioredis waits for this one where it is configured to use TLS.
      if (tls !== undefined) stream.once('connect', () => stream.emit('secureConnect'));
      // Once ioredis listens to it.
      holdingTimers.after(0, () => stream.connect());
      return stream;
    }

    disconnect(): void {
      const stream = this.#stream;
      if (stream === null) return;
      const { disconnectTimeout = DISCONNECT_MS } = this.#client;
      const late = systemTimers.after(disconnectTimeout, () => stream.destroy());
      stream.once('close', () => late.cancel());
      stream.end();
    }
  }
  return BalancedConnector as unknown as C;
}
