/**
 * Orders to end sessions or flows, now or spread over a span: by a drain, a stop, or an operator.
 */
import type { BackendId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { Cause } from '../core/outcome.js';
import type { Random } from '../core/random.js';
import { EndQueue, giveNotice, type Noticed } from './due.js';

export interface NoticesDeps<S> {
  readonly clock: Clock;
  readonly random: Random;
  readonly isOver: (one: S) => boolean;
  /** Ends one whose notice says now. */
  readonly due: (one: S) => void;
  /** The notice of this one says later: it has another deadline. */
  readonly arm: (one: S, nowMs: number) => void;
}

export interface HowToEnd {
  readonly cause: Cause;
  /** The ends are spread over this; 0 = now. */
  readonly spanMs: number;
  /** Which backend they are to leave; null: they end wherever they are by then. */
  readonly backend: BackendId | null;
}

export class Notices<S extends Noticed> {
  readonly #deps: NoticesDeps<S>;
  readonly #ends: EndQueue<S>;

  constructor(deps: NoticesDeps<S>) {
    this.#deps = deps;
    this.#ends = new EndQueue(deps.isOver, deps.due);
  }

  /** `chosen` end in their order. */
  give(chosen: readonly S[], how: HowToEnd): void {
    const now = this.#deps.clock.nowMs();
    for (const one of giveNotice(chosen, how, this.#deps.random, now)) {
      if ((one.notice?.atMs ?? now) <= now) this.#ends.add(one);
      else this.#deps.arm(one, now);
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
