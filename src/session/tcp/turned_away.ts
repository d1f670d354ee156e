/**
 * Clients that are refused by their address, before a byte of theirs is read. A flood of them must
 * cost little: they have no session, take no place, and get few lines; the next line says how many
 * had none.
 */
import type { PairId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Cause } from '../../core/outcome.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';
import type { SessionBook } from './book.js';
import type { TcpFace, TcpListener } from './listener.js';

/** Access lines of a worker about them. */
const LINES_A_SECOND = 10;

export class TurnedAway {
  readonly #engine: TcpEngine;
  readonly #clock: Clock;
  readonly #book: SessionBook;
  /** By pair: 1: it was turned away, and its `closed` has not come. */
  readonly #away: Uint8Array;
  #secondMs = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(engine: TcpEngine, clock: Clock, book: SessionBook) {
    this.#engine = engine;
    this.#clock = clock;
    this.#book = book;
    this.#away = new Uint8Array(engine.capacity);
  }

  /** Refuses the client of `pair`, which has just come, if its listener says so. */
  refuses(listener: TcpListener, key: ListenerKey, pair: PairId): boolean {
    const face = listener.faceAt(key);
    const { admission, plan } = face;
    if (admission === null) return false;
    const peer = this.#engine.client(pair);
    const isProxy = plan.settings.trustedProxies !== null;
    const cause = isProxy ? admission.refusalOfProxy(peer) : admission.refusal(peer);
    if (cause === null) return false;
    if (admission.isDryRun) {
      this.#book.wouldRefuse(listener, cause);
      return false;
    }
    this.#refuse(face, pair, cause);
    return true;
  }

  /** An edge says that `pair` is over; false: it was not turned away. */
  over(pair: PairId): boolean {
    if (this.#away[pair] !== 1) return false;
    this.#away[pair] = 0;
    return true;
  }

  #refuse(face: TcpFace, pair: PairId, cause: Cause): void {
    this.#away[pair] = 1;
    const end = { by: 'sluice', stage: 'accept', cause } as const;
    if (!this.#book.turnedAway(face, pair, end, this.#mayLog() ? this.#unlogged : null)) {
      this.#unlogged++;
    } else this.#unlogged = 0;
    this.#engine.close(pair, 'reset');
  }

  #mayLog(): boolean {
    const now = this.#clock.nowMs();
    if (now - this.#secondMs >= 1_000) {
      this.#secondMs = now;
      this.#lines = 0;
    }
    return ++this.#lines <= LINES_A_SECOND;
  }
}
