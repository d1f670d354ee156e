/**
 * What other processes of this program have of the counts of this one, at an upgrade: those whose
 * place this one has taken and that finish their sessions, and the one that takes its place, which
 * is given what is free here. Each has a share of a count, as a worker has one. Only control writes
 * here, and no choice looks at more than the count.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, ListenerId } from '../core/brand.js';
import { MAX_BACKENDS, MAX_LEAVING } from '../core/limits.js';
import { countCell, GIVEN_SHARE_AT, LEAVING_SHARES_AT, SHARE_ROW } from './ledger_layout.js';
import type { RowChanges } from './row_changes.js';

/** A count that processes share: of a backend or a listener. */
export type SharedCount = { readonly at: number };

export function countOfBackend(backend: BackendId): SharedCount {
  return { at: backend };
}

export function countOfListener(listener: ListenerId): SharedCount {
  return { at: MAX_BACKENDS + listener };
}

export class OtherProcesses {
  readonly #cells: Int32Array;
  readonly #changes: RowChanges;

  constructor(cells: Int32Array, changes: RowChanges) {
    this.#cells = cells;
    this.#changes = changes;
  }

  /** What processes that leave have of `count`. */
  remaining(count: SharedCount): number {
    let sum = 0;
    for (let process = 0; process < MAX_LEAVING; process++) sum += this.remainingIn(process, count);
    return sum;
  }

  remainingIn(process: number, { at }: SharedCount): number {
    return Atomics.load(this.#cells, shareOf(process) + at);
  }

  /** What of `count` is given to the next process. */
  given({ at }: SharedCount): number {
    return Atomics.load(this.#cells, GIVEN_SHARE_AT + at);
  }

  /** What no session of this process has. */
  elsewhere(count: SharedCount): number {
    return this.remaining(count) + this.given(count);
  }

  /**
   * A process that leaves has `sessions` of `count`. That they are there is so, whatever the cap:
   * it may be lower here than where they began.
   */
  hold(process: number, count: SharedCount, sessions: number): void {
    const before = Atomics.exchange(this.#cells, shareOf(process) + count.at, sessions);
    if (sessions === before) return;
    Atomics.add(this.#cells, countCell(count.at), sessions - before);
    this.#note(count);
  }

  /**
   * Gives the next process what is free of `count` below `most`: no worker here can take it then.
   */
  give(count: SharedCount, most: number): void {
    const cell = countCell(count.at);
    let now = Atomics.load(this.#cells, cell);
    while (now < most) {
      const seen = Atomics.compareExchange(this.#cells, cell, now, most);
      if (seen === now) {
        Atomics.add(this.#cells, GIVEN_SHARE_AT + count.at, most - now);
        return this.#note(count);
      }
      now = seen;
    }
  }

  /** A cap is higher from now on: that much more is the next process's. */
  giveMore(count: SharedCount, more: number): void {
    Atomics.add(this.#cells, GIVEN_SHARE_AT + count.at, more);
    Atomics.add(this.#cells, countCell(count.at), more);
    this.#note(count);
  }

  /** The next process has given this many back. */
  giveLess(count: SharedCount, less: number): void {
    assertShared(this.given(count) >= less, 'more is given back than was given');
    Atomics.sub(this.#cells, GIVEN_SHARE_AT + count.at, less);
    Atomics.sub(this.#cells, countCell(count.at), less);
    this.#note(count);
  }

  /** Takes up to `most` places for a process that leaves, below `cap`; answers how many. */
  take(process: number, count: SharedCount, most: number, cap: number): number {
    const cell = countCell(count.at);
    let now = Atomics.load(this.#cells, cell);
    for (;;) {
      const places = Math.min(most, cap - now);
      if (places <= 0) return 0;
      const seen = Atomics.compareExchange(this.#cells, cell, now, now + places);
      if (seen === now) {
        Atomics.add(this.#cells, shareOf(process) + count.at, places);
        this.#note(count);
        return places;
      }
      now = seen;
    }
  }

  /** A process that left has nothing any more. */
  forget(process: number): void {
    this.#forget(shareOf(process));
  }

  /** The next process does not come, or has ended. */
  takeBack(): void {
    this.#forget(GIVEN_SHARE_AT);
  }

  #forget(share: number): void {
    // Read first: writing a zero would make the kernel allocate a page that was never used.
    for (let at = 0; at < SHARE_ROW; at++) {
      if (Atomics.load(this.#cells, share + at) === 0) continue;
      const has = Atomics.exchange(this.#cells, share + at, 0);
      Atomics.sub(this.#cells, countCell(at), has);
    }
    this.#changes.noteAll();
  }

  #note({ at }: SharedCount): void {
    if (at < MAX_BACKENDS) this.#changes.note(at as BackendId);
  }
}

function shareOf(process: number): number {
  assertShared(
    process >= 0 && process < MAX_LEAVING,
    'the number of processes that leave at a time is limited',
  );
  return LEAVING_SHARES_AT + process * SHARE_ROW;
}
