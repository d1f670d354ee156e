/**
 * The loop of one worker: hands submissions over, waits, and gives each completion to the owner of
 * its kind. One turn is one io_uring_enter(2).
 */
import { assertShared, presentShared } from '../../core/assert.js';
import type { Clock } from '../../core/clock.js';
import { ERRNO } from '../../kernel/errno.js';
import type { Ring } from '../../kernel/ring.js';
import { submitCancel } from '../../kernel/submissions.js';
import { CQE_WORDS } from '../../kernel/uring_abi.js';
import { type LoopHooks, MAX_TICK_GAP_MS } from '../engine.js';
import { SPIN_MS, Spin } from './spin.js';
import { CANCEL, indexOf, KINDS, kindOf, userData } from './user_data.js';

/** Looks of a spin between two readings of the clock, and at most. */
const LOOKS_PER_READING = 64;
const MAX_LOOKS = 4096;

/** Whether the operation of that user data has not completed yet. */
export type InFlight = (index: number, generation: number) => boolean;

/** `result` and `flags` are those of the completion; `generation` is the word of its user data. */
export type CompletionHandler = (
  index: number,
  generation: number,
  result: number,
  flags: number,
) => void;

/**
 * What of the submissions before this turn the kernel has dealt with. `answered`: all of them, and
 * every completion that could come at once has come. `taken`: all, but completions are hidden
 * because their queue was full. `partly`: it was short of memory.
 */
export type TakenWork = 'answered' | 'taken' | 'partly';

/** What a turn does besides completions, in the order of registration. */
export interface TurnWork {
  /** Before the kernel is entered. */
  before?(): void;
  /** After the completions. */
  after?(taken: TakenWork): void;
  /** When `after` has something to do at the latest, on the loop's clock; 0: at once. */
  dueMs?(): number;
}

export class Loop {
  readonly ring: Ring;
  readonly clock: Clock;
  /** The time of this turn: no completion reads the clock by itself. */
  nowMs: number;
  /** Turns so far. */
  turns = 0;
  /** When the wait of the last turn was over nothing had come, and nothing was due. */
  wasIdle = false;

  readonly #handlers: CompletionHandler[];
  readonly #inFlight: (InFlight | undefined)[] = [];
  /** Low and high words of cancels that found nothing to cancel. */
  #missed: number[] = [];
  // Of the work that has each, bound once: every turn calls them all, and looking up a method of
  // one of many kinds costs more than the call.
  readonly #before: (() => void)[] = [];
  readonly #after: ((taken: TakenWork) => void)[] = [];
  readonly #dueMs: (() => number)[] = [];
  #tasks: (() => void)[] = [];
  /** A cancel is tried again by the next entry. */
  #again = false;
  #completionHead: number;
  readonly #spin = new Spin();
  #tick: 'wanted' | 'when due' = 'wanted';
  #tickDueMs = 0;
  #beatDueMs = 0;

  constructor(ring: Ring, clock: Clock) {
    this.ring = ring;
    this.clock = clock;
    this.nowMs = clock.nowMs();
    this.#completionHead = ring.completionTail();
    const unowned: CompletionHandler = (index, _, result) => {
      assertShared(false, `completion ${result} for ${index} has an owner`);
    };
    this.#handlers = Array.from({ length: KINDS }, () => unowned);
  }

  /** `inFlight` is needed for kinds that are cancelled. */
  on(kind: number, handler: CompletionHandler, inFlight?: InFlight): void {
    this.#handlers[kind] = handler;
    this.#inFlight[kind] = inFlight;
  }

  /** Makes an operation in flight complete, in this turn or later, if it has not by itself. */
  cancel(kind: number, index: number, generation: number): void {
    const low = userData(kind, index);
    submitCancel(this.ring, low, generation, userData(kind + CANCEL, index), generation);
  }

  add(work: TurnWork): void {
    if (work.before !== undefined) this.#before.push(work.before.bind(work));
    if (work.after !== undefined) this.#after.push(work.after.bind(work));
    if (work.dueMs !== undefined) this.#dueMs.push(work.dueMs.bind(work));
  }

  /** An edge is reported, or a hook was called: deadlines may be other ones after this turn. */
  wantTick(): void {
    this.#tick = 'wanted';
  }

  /** Runs `task` at the end of this turn or of the next: never inside the call. */
  soon(task: () => void): void {
    this.#tasks.push(task);
  }

  /** Does what is to be done now, after waiting at most `maxWaitMs` for something to do. */
  turn(hooks: LoopHooks, maxWaitMs: number): void {
    const { ring } = this;
    // Whole milliseconds: a fraction that is handed on would be an object for the collector.
    const idleMs = this.#idleMs();
    const waitMs = Math.ceil(Math.min(maxWaitMs, idleMs, this.#untilBeatMs(maxWaitMs))) | 0;
    // What had happened by then is seen in this turn: nothing is due that came too late to be seen.
    const seenMs = this.nowMs;
    this.#again = false;
    this.turns++;
    for (const before of this.#before) before();
    if (waitMs > MAX_TICK_GAP_MS) this.#rest(hooks, waitMs);
    else this.#enter(waitMs);
    this.wasIdle = idleMs > waitMs && ring.completionTail() === this.#completionHead;
    const taken = ring.queued > 0 ? 'partly' : ring.overflown ? 'taken' : 'answered';
    this.#dispatch();
    for (const after of this.#after) after(taken);
    if (this.#tasks.length > 0) this.#runTasks();
    if (this.#missed.length > 0) this.#cancelAgain();
    if (this.#tick === 'wanted' || seenMs >= Math.min(this.#tickDueMs, this.#beatDueMs)) {
      this.#tick = 'when due';
      this.#beatDueMs = seenMs + MAX_TICK_GAP_MS;
      this.#tickDueMs = hooks.tick(seenMs);
    }
  }

  /** Enters the kernel, sleeps there or spins before it, and knows the time afterwards. */
  #enter(waitMs: number): void {
    const { ring, clock } = this;
    if (waitMs <= 0) {
      ring.enter(0);
    } else if (!this.#spin.pays) {
      const fromMs = this.nowMs;
      ring.enter(waitMs);
      this.nowMs = clock.nowMs();
      this.#spin.slept(this.nowMs - fromMs);
      return;
    } else {
      ring.enter(0);
      if (ring.completionTail() === this.#completionHead) this.#spinThenSleep(waitMs);
    }
    this.nowMs = clock.nowMs();
  }

  /** Silence that was announced is none; whatever ended the rest comes after the sign of life. */
  #rest(hooks: LoopHooks, waitMs: number): void {
    hooks.rests?.(this.nowMs + waitMs);
    this.#enter(waitMs);
    hooks.rests?.(this.nowMs);
  }

  #spinThenSleep(waitMs: number): void {
    const { ring, clock } = this;
    let untilMs = Number.POSITIVE_INFINITY;
    // Bounded by looks, too: a test's clock may stand still.
    for (let look = 1; look < MAX_LOOKS && !ring.hasWork; look++) {
      if (look % LOOKS_PER_READING !== 0) continue;
      // Most spins are over before the first reading.
      const nowMs = clock.nowMs();
      if (nowMs >= untilMs) break;
      if (look === LOOKS_PER_READING) untilMs = nowMs + SPIN_MS;
    }
    this.#spin.spun(ring.hasWork ? 'hit' : 'miss');
    ring.enter(ring.hasWork ? 0 : waitMs);
  }

  /** How long a thread shows no sign of life at most: one that still wants a tick does not rest. */
  #untilBeatMs(maxWaitMs: number): number {
    if (maxWaitMs > MAX_TICK_GAP_MS && this.#tick === 'when due') return maxWaitMs;
    return Math.max(0, this.#beatDueMs - this.nowMs);
  }

  /** How long nothing is due. */
  #idleMs(): number {
    if (this.#tasks.length > 0 || this.#again) return 0;
    let dueMs = this.#tickDueMs;
    for (const due of this.#dueMs) dueMs = Math.min(dueMs, due());
    return Math.max(0, dueMs - this.nowMs);
  }

  /**
   * io_uring cannot find an operation at the moment between two attempts of it (it stands in the
   * list of work that the next entry does), so a cancel that found nothing may have come too early.
   */
  #cancelAgain(): void {
    const missed = this.#missed;
    this.#missed = [];
    for (let at = 0; at < missed.length; at += 2) {
      const low = missed[at] ?? 0;
      const generation = missed[at + 1] ?? 0;
      const kind = kindOf(low) - CANCEL;
      const inFlight = presentShared(this.#inFlight[kind], 'what is cancelled can be asked about');
      if (!inFlight(indexOf(low), generation)) continue;
      this.cancel(kind, indexOf(low), generation);
      this.#again = true;
    }
  }

  #runTasks(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  }

  #dispatch(): void {
    const { ring } = this;
    const { completions, completionMask } = ring;
    const tail = ring.completionTail();
    let head = this.#completionHead;
    while (head !== tail) {
      const at = (head & completionMask) * CQE_WORDS;
      const low = completions[at] ?? 0;
      const generation = completions[at + 1] ?? 0;
      const result = completions[at + 2] ?? 0;
      const flags = completions[at + 3] ?? 0;
      const kind = kindOf(low);
      if (kind >= CANCEL) {
        if (result === -ERRNO.ENOENT) this.#missed.push(low, generation);
      } else {
        const handler = presentShared(this.#handlers[kind], 'a completion has a kind');
        handler(indexOf(low), generation, result, flags);
      }
      head = (head + 1) | 0;
    }
    this.#completionHead = head;
    ring.completionsRead(head);
  }
}
