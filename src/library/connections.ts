/**
 * The sockets that `connect` has handed out, by backend: a backend that leaves takes them along.
 * And dials under way, which end with the balancer.
 */
import type { Socket } from 'node:net';
import type { Timers } from '../core/clock.js';
import type { Random } from '../core/random.js';
import type { Entry } from './entry.js';

export class Connections {
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #sockets = new Map<Entry, Set<Socket>>();
  readonly #dials = new Set<() => void>();

  constructor(timers: Timers, random: Random) {
    this.#timers = timers;
    this.#random = random;
  }

  add(entry: Entry, socket: Socket): void {
    const sockets = this.#sockets.get(entry) ?? new Set();
    if (sockets.size === 0) this.#sockets.set(entry, sockets);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#sockets.get(entry) === sockets) this.#sockets.delete(entry);
    });
  }

  /** `giveUp` ends a dial under way, until what this returns is called. */
  dialling(giveUp: () => void): () => void {
    this.#dials.add(giveUp);
    return () => this.#dials.delete(giveUp);
  }

  /** Ends every dial. */
  giveUp(): void {
    for (const giveUp of [...this.#dials]) giveUp();
  }

  /**
   * Closes what is open there, spread over `spanMs` so that clients do not all come back at once.
   */
  close(entry: Entry, spanMs: number): void {
    for (const socket of this.#sockets.get(entry) ?? []) {
      if (spanMs === 0) socket.destroy();
      else this.#timers.after(this.#random.next() * spanMs, () => socket.destroy());
    }
  }
}
