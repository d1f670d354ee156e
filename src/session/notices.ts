/**
 * Orders to end sessions or flows, now or spread over a span: by a drain, a stop, or an operator.
 * That of a drain can be taken back for those that are still there.
 */
import type { BackendId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { Cause } from '../core/outcome.js';
import type { Random } from '../core/random.js';
import { EndQueue, giveNotice, type Noticed, type Permanence, takeNoticeBack } from './due.js';

export interface NoticesDeps<S> {
  readonly clock: Clock;
  readonly random: Random;
  readonly all: () => readonly S[];
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
  readonly order: Permanence;
}

export class Notices<S extends Noticed> {
  readonly #deps: NoticesDeps<S>;
  readonly #ends: EndQueue<S>;

  constructor(deps: NoticesDeps<S>) {
    this.#deps = deps;
    this.#ends = new EndQueue(deps.isOver, deps.due);
  }

  /** `chosen` end in their order; what is over by then stays over. */
  give(chosen: readonly S[], how: HowToEnd): void {
    const now = this.#deps.clock.nowMs();
    for (const one of giveNotice(chosen, how, this.#deps.random, now)) {
      if ((one.notice?.atMs ?? now) <= now) this.#ends.add(one);
      else this.#deps.arm(one, now);
    }
    this.#ends.run();
  }

  /** Those that are to leave `backends` by a revocable order, and have not yet, stay. */
  takeBack(backends: ReadonlySet<BackendId>): void {
    const now = this.#deps.clock.nowMs();
    for (const one of this.#deps.all()) {
      const backend = one.notice?.backend ?? null;
      if (backend === null || !backends.has(backend)) continue;
      if (takeNoticeBack(one, backend, now)) this.#deps.arm(one, now);
    }
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
