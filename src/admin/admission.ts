/**
 * Which connections are served, which wait and which go. There are places for a number of them.
 * Further ones wait, so that a burst costs no client its answer, and have the places of those that
 * are silent, so that no client locks others out by holding connections.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.js';
import type { HttpConnection } from './connection.js';

/** A client that neither sends nor takes anything for this long makes room for another one. */
export const STALLED_MS = 500;
/** Longer than any process runs. */
const SILENT_FIRST_MS = 1e12;

export interface HttpAdmissionDeps {
  readonly clock: Clock;
  /** For connections that send, take or do nothing. While an answer is made, none is needed. */
  readonly places: number;
  /** Connections in all, with those that wait; `places` at least. */
  readonly open: number;
  /** Serves it. */
  readonly serve: (socket: Socket) => HttpConnection;
}

export class HttpAdmission {
  readonly #deps: HttpAdmissionDeps;
  readonly #served = new Set<HttpConnection>();
  /** Nothing is read from them but what Node.js reads ahead. */
  readonly #waiting = new Set<Socket>();

  constructor(deps: HttpAdmissionDeps) {
    this.#deps = deps;
  }

  get served(): ReadonlySet<HttpConnection> {
    return this.#served;
  }

  arrived(socket: Socket): void {
    if (this.#waiting.size === 0 && this.#hasPlace()) {
      this.#served.add(this.#deps.serve(socket));
      return;
    }
    // A close follows each error.
    socket.on('error', () => {});
    socket.on('close', () => this.#waiting.delete(socket));
    this.#waiting.add(socket);
    this.admit();
    if (this.#served.size + this.#waiting.size <= this.#deps.open) return;
    const others = [...this.#waiting].filter((one) => one !== socket);
    const victim = others.find((one) => !hasAsked(one)) ?? others[0] ?? socket;
    victim.destroy();
    this.#waiting.delete(victim);
  }

  closed(connection: HttpConnection): void {
    this.#served.delete(connection);
    this.admit();
  }

  /**
   * Serves those that wait, as far as there are places, newest first: where silent clients hold all
   * places, a client that has something to ask must not wait behind more of them. One that has sent
   * something goes before all that have not.
   */
  admit(): void {
    while (this.#waiting.size > 0 && (this.#hasPlace() || this.#pushOut())) {
      const waiting = [...this.#waiting];
      const next = waiting.findLast(hasAsked) ?? waiting.at(-1);
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#served.add(this.#deps.serve(next));
    }
  }

  cutAll(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
    for (const connection of this.#served) connection.cut();
  }

  #hasPlace(): boolean {
    const { places, open } = this.#deps;
    if (this.#served.size < places) return true;
    if (this.#served.size >= open) return false;
    const making = [...this.#served].filter(({ phase }) => phase.at === 'making');
    return this.#served.size - making.length < places;
  }

  /** The longest silent goes; if none is, the one whose answer has not moved for longest. */
  #pushOut(): boolean {
    const { clock, places, open } = this.#deps;
    // Where none may wait, a place is needed now.
    const sinceMs = clock.nowMs() - (open > places ? STALLED_MS : 0);
    let victim: HttpConnection | null = null;
    let worst = Number.POSITIVE_INFINITY;
    for (const one of this.#served) {
      const { phase } = one;
      if (phase.at === 'making') continue;
      const answered = phase.at === 'sending' || phase.at === 'following';
      const lastMs = answered ? phase.movedMs : phase.sinceMs;
      // Silent ones first: their times count from far in the past.
      const at = answered ? lastMs : lastMs - SILENT_FIRST_MS;
      if (lastMs > sinceMs || at >= worst) continue;
      worst = at;
      victim = one;
    }
    if (victim === null) return false;
    this.#served.delete(victim);
    victim.cut();
    return true;
  }
}

/** Whether Node.js has read something ahead. */
function hasAsked({ readableLength }: Socket): boolean {
  return readableLength > 0;
}
