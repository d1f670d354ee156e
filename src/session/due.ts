/**
 * What is due at once for many sessions is done for a few of them in a turn: those of other pools
 * have their turn in between.
 */

import type { BackendId } from '../core/brand.js';
import type { Cause } from '../core/outcome.js';
import type { Random } from '../core/random.js';
import { spreadOffsets } from './tcp/spread.js';

/** Deadlines that expire in a turn, and ends in a turn of sessions that are ordered to end now. */
export const DUE_PER_TURN = 32;

/** Sessions or flows that shall end now, in order. */
export class EndQueue<S> {
  readonly #isOver: (one: S) => boolean;
  readonly #end: (one: S) => void;
  #waiting: S[] = [];
  /** Where the first one stands that still waits. */
  #at = 0;
  #left = DUE_PER_TURN;

  constructor(isOver: (one: S) => boolean, end: (one: S) => void) {
    this.#isOver = isOver;
    this.#end = end;
  }

  /** When `runAgain` is to be called: at once or never. */
  get dueMs(): number {
    return this.#at === this.#waiting.length ? Number.POSITIVE_INFINITY : 0;
  }

  add(one: S): void {
    this.#waiting.push(one);
  }

  /** Ends as many as this turn may. */
  run(): void {
    while (this.#left > 0) {
      const one = this.#waiting[this.#at];
      if (one === undefined) return this.#forget();
      this.#at++;
      if (this.#isOver(one)) continue;
      this.#end(one);
      this.#left--;
    }
  }

  /** A turn begins. */
  runAgain(): void {
    this.#left = DUE_PER_TURN;
    this.run();
  }

  #forget(): void {
    if (this.#at === 0) return;
    this.#waiting = [];
    this.#at = 0;
  }
}

/** An order to end at a time, given by a drain, a stop or an operator. */
export interface Notice {
  readonly atMs: number;
  readonly cause: Cause;
  /** Which backend it is to leave; null: whichever it has. */
  readonly backend: BackendId | null;
  readonly order: Permanence;
  /** What holds without it, where it is taken back: the first final notice that comes later. */
  readonly otherwise: Notice | null;
}

/** `revocable`: a drain, which its operator may end before all its sessions have. */
export type Permanence = 'final' | 'revocable';

/** Of an order to leave a backend. What is down is not trusted again when it comes back. */
export function permanenceOf(cause: Cause): Permanence {
  return cause === 'drained' ? 'revocable' : 'final';
}

export interface Noticed {
  notice: Notice | null;
}

/**
 * Gives notice to `chosen`, spread over `spanMs` (0: all of them now) in their order. Answers those
 * that had none that is earlier.
 */
export function giveNotice<S extends Noticed>(
  chosen: readonly S[],
  { spanMs, ...how }: Omit<Notice, 'atMs' | 'otherwise'> & { readonly spanMs: number },
  random: Random,
  nowMs: number,
): readonly S[] {
  const offsets = spreadOffsets(chosen.length, spanMs, random);
  return chosen.filter((one, index) => {
    const atMs = spanMs === 0 ? nowMs : nowMs + (offsets[index] ?? 0);
    const before = one.notice;
    noticeBy(one, { ...how, atMs });
    return before === null || before.atMs > atMs;
  });
}

/** Gives notice to one; what it has to do earlier stays. */
export function noticeBy(one: Noticed, notice: Omit<Notice, 'otherwise'>): void {
  one.notice = both(one.notice, { ...notice, otherwise: null });
}

/** It has to leave `backend` no more, unless its time has come. Answers whether that is news. */
export function takeNoticeBack(one: Noticed, backend: BackendId, nowMs: number): boolean {
  const { notice } = one;
  if (notice === null || notice.order === 'final') return false;
  if (notice.backend !== backend || notice.atMs <= nowMs) return false;
  one.notice = notice.otherwise;
  return true;
}

/** It goes to `backend` now: that it was to leave another one has come to its end. */
export function forgetNotice(one: Noticed, backend: BackendId): void {
  const concerns = ({ backend: left }: Notice): boolean => left === null || left === backend;
  const { notice } = one;
  if (notice === null || concerns(notice)) return;
  const { otherwise } = notice;
  one.notice = otherwise !== null && concerns(otherwise) ? otherwise : null;
}

/** The earlier one; where that may be taken back, with the final one behind it. */
function both(before: Notice | null, added: Notice): Notice {
  if (before === null) return added;
  if (before.atMs <= added.atMs) {
    const isMore = before.order === 'revocable' && added.order === 'final';
    return isMore ? { ...before, otherwise: earlier(before.otherwise, added) } : before;
  }
  if (added.order === 'final') return added;
  return { ...added, otherwise: before.order === 'final' ? before : before.otherwise };
}

function earlier(before: Notice | null, added: Notice): Notice {
  return before !== null && before.atMs <= added.atMs ? before : added;
}
