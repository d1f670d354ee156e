/** Orders to end sessions, now or spread over a span: by a drain, a stop, or whoever kills them. */
import type { Clock } from '../../core/clock.js';
import type { Cause } from '../../core/outcome.js';
import type { Random } from '../../core/random.js';
import { EndQueue, giveNotice } from '../due.js';
import type { TcpSession } from './session.js';

export interface NoticesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly isOver: (session: TcpSession) => boolean;
  /** Ends one whose notice says now. */
  readonly due: (session: TcpSession) => void;
  /** The notice of one whose bytes move is a deadline of it. */
  readonly arm: (session: TcpSession, nowMs: number) => void;
}

export class Notices {
  readonly #deps: NoticesDeps;
  /** Those whose notice says now. */
  readonly #ends: EndQueue<TcpSession>;

  constructor(deps: NoticesDeps) {
    this.#deps = deps;
    this.#ends = new EndQueue(deps.isOver, deps.due);
  }

  /** `chosen` end in their order, spread over `spanMs` (0: now). */
  give(
    chosen: readonly TcpSession[],
    how: { readonly cause: Cause; readonly spanMs: number },
  ): void {
    const now = this.#deps.clock.nowMs();
    for (const session of giveNotice(chosen, how, this.#deps.random, now)) {
      if ((session.notice?.atMs ?? now) <= now) this.#ends.add(session);
      else if (session.phase.at === 'relaying') this.#deps.arm(session, now);
    }
    this.#ends.run();
  }

  /** A turn begins: more of those that end now may. */
  runAgain(): void {
    this.#ends.runAgain();
  }

  /** When `runAgain` is to be called: at once or never. */
  get dueMs(): number {
    return this.#ends.dueMs;
  }
}
