/**
 * `sluice/ioredis`: what `new Redis({ Connector })` takes. ioredis connects again by itself when a
 * connection ends; each time the balancer chooses.
 */
import type { Socket } from 'node:net';
import type { Connects } from './adapter_balancer.js';

export interface IoredisOptions {
  /** What `source-hash` chooses by. */
  readonly key?: string;
}

/** The interface of ioredis' AbstractConnector. */
export interface RedisConnector {
  check(): boolean;
  connect(): Promise<Socket>;
  disconnect(): void;
}

/** `new Redis({ Connector: ioredisConnector(balancer) })` */
export function ioredisConnector(
  balancer: Connects,
  { key }: IoredisOptions = {},
): new () => RedisConnector {
  return class implements RedisConnector {
    #given: AbortController | null = null;
    #socket: Socket | null = null;

    check(): boolean {
      return true;
    }

    async connect(): Promise<Socket> {
      const given = new AbortController();
      this.#given = given;
      const { signal } = given;
      const socket = await balancer.connect(key === undefined ? { signal } : { key, signal });
      this.#socket = socket;
      return socket;
    }

    disconnect(): void {
      this.#given?.abort();
      this.#socket?.end();
    }
  };
}
