/**
 * The loop of the node engine: the event loop of its thread. Sessions change their deadlines only
 * inside edges and hooks, so a tick follows each turn that reported one, and the timer that was
 * armed last; bytes that just flow cause none.
 *
 * What has happened comes before what is due: a thread that did not run for a while finds timers
 * over and events waiting, and the connection that was established in time must not be given up. So
 * a tick comes after the turn's events, and one at which something is due after those of the next
 * turn, for the time at which that turn began.
 */
import { MessageChannel } from 'node:worker_threads';
import { assert } from '../../core/assert.js';
import type { WorkerId } from '../../core/brand.js';
import type { Clock, Timer, Timers } from '../../core/clock.js';
import type { Doorbell } from '../../core/doorbell.js';
import { type LoopHooks, MAX_TICK_GAP_MS, restMs } from '../engine.js';

export interface LoopDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly doorbell: Doorbell;
  readonly worker: WorkerId;
  /** True while there is no session and no flow. */
  readonly isIdle: () => boolean;
}

/** A rest follows this many ticks at which nothing has happened. */
const IDLE_TICKS = 3;

export class Loop {
  readonly #deps: LoopDeps;
  #hooks: LoopHooks | null = null;
  #unlisten: (() => void) | null = null;
  #anchor: MessageChannel | null = null;
  #timer: Timer | null = null;
  #timerDueMs = Number.POSITIVE_INFINITY;
  /** What the last tick said is due next. */
  #dueMs = Number.POSITIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  /** Ticks in a row before which nothing has happened. */
  #idleTicks = 0;
  #state: 'up' | 'at rest' = 'up';

  constructor(deps: LoopDeps) {
    this.#deps = deps;
  }

  start(hooks: LoopHooks): void {
    assert(this.#hooks === null, 'an engine runs once');
    this.#hooks = hooks;
    this.#unlisten = this.#deps.doorbell.listen(this.#deps.worker, () => {
      this.stir();
      this.#hooks?.rung();
      this.touch();
    });
    // An open port keeps the thread alive while all of its listeners are paused.
    this.#anchor = new MessageChannel();
    this.#anchor.port1.ref();
    this.touch();
  }

  stop(): void {
    this.#hooks = null;
    this.#unlisten?.();
    this.#anchor?.port1.close();
    this.#timer?.cancel();
    clearImmediate(this.#immediate);
  }

  /** An edge was reported: tick when the events of this turn are done. */
  touch(): void {
    this.stir();
    this.#tickSoon();
  }

  /** Something has come, and is about to be done: a thread that rested shows that it lives. */
  stir(): void {
    this.#idleTicks = 0;
    if (this.#state === 'at rest') this.#endRest();
  }

  #endRest(): void {
    this.#state = 'up';
    this.#hooks?.rests?.(this.#deps.clock.nowMs());
  }

  #tickSoon(): void {
    this.#immediate ??= setImmediate(this.#turnOver);
  }

  readonly #turnOver = (): void => {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs < this.#dueMs) this.#tick(nowMs);
    else this.#immediate = setImmediate(() => this.#tick(nowMs));
  };

  #tick(nowMs: number): void {
    this.#immediate = undefined;
    if (this.#hooks === null) return;
    if (this.#state === 'at rest') this.#endRest();
    const dueMs = Math.min(this.#hooks.tick(nowMs), nowMs + this.#longestGapMs(nowMs));
    if (dueMs - nowMs > MAX_TICK_GAP_MS) {
      this.#state = 'at rest';
      this.#hooks.rests?.(dueMs);
    }
    this.#dueMs = dueMs;
    // An armed timer that is too early costs one idle tick: cheaper than to move it each time.
    if (dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#deps.timers.after(Math.max(0, dueMs - nowMs), this.#expired);
  }

  /** A session's bytes may flow without a tick: beside one the thread does not rest. */
  #longestGapMs(nowMs: number): number {
    if (!this.#deps.isIdle()) this.#idleTicks = 0;
    return ++this.#idleTicks > IDLE_TICKS ? restMs(nowMs) : MAX_TICK_GAP_MS;
  }

  readonly #expired = (): void => {
    this.#timer = null;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    this.#tickSoon();
  };
}
