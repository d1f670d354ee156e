/**
 * The listening sockets that are open, by key and by port. A socket has a key for each worker: the
 * first worker's, and those that follow it.
 */
import type { Endpoint } from '../core/endpoint.js';
import type { MadeSocket } from './socket_maker.js';

export interface KeyedSocket {
  /** Of the first worker's socket; the others' follow it. */
  readonly firstKey: number;
  /** The listener's key in the inventory. */
  readonly listener: string;
  /** As configured; port 0 stays 0 here. */
  readonly wanted: Endpoint;
  /** As it really is. */
  local: Endpoint;
  readonly opened: MadeSocket;
  /** Whether a worker has listened on it already. */
  use: 'fresh' | 'served';
}

export class SocketTable {
  readonly #workers: number;
  readonly #byKey = new Map<number, KeyedSocket>();
  /** How many sockets are at each IP port. */
  readonly #ports = new Map<number, number>();
  #nextKey = 1;

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** How many sockets are open, each counted once for all its workers. */
  get size(): number {
    return this.#byKey.size / this.#workers;
  }

  /** For a socket that is about to be opened: its first key. */
  takeKeys(): number {
    const first = this.#nextKey;
    this.#nextKey += this.#workers;
    return first;
  }

  get(key: number): KeyedSocket | undefined {
    return this.#byKey.get(key);
  }

  /** In the order in which they were opened. */
  all(): Iterable<KeyedSocket> {
    return new Set(this.#byKey.values());
  }

  hasPort(port: number): boolean {
    return this.#ports.has(port);
  }

  add(socket: KeyedSocket): KeyedSocket {
    for (const key of this.#keysOf(socket)) this.#byKey.set(key, socket);
    this.#countPort(socket, 1);
    return socket;
  }

  remove(socket: KeyedSocket): void {
    for (const key of this.#keysOf(socket)) this.#byKey.delete(key);
    this.#countPort(socket, -1);
  }

  /** It turned out to be at `local`. */
  move(socket: KeyedSocket, local: Endpoint): void {
    this.#countPort(socket, -1);
    socket.local = local;
    this.#countPort(socket, 1);
  }

  #keysOf({ firstKey }: KeyedSocket): readonly number[] {
    return Array.from({ length: this.#workers }, (_, worker) => firstKey + worker);
  }

  #countPort({ local }: KeyedSocket, change: 1 | -1): void {
    if (local.kind !== 'ip') return;
    const count = (this.#ports.get(local.port) ?? 0) + change;
    if (count === 0) this.#ports.delete(local.port);
    else this.#ports.set(local.port, count);
  }
}
