/**
 * Which workers serve: no client shall wait for one that does not. The fleet reports losses and
 * returns; workers that have become quiet it finds by itself; and it sends a plan to each worker
 * whose sockets change by that.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { Deputies, Presence } from './deputies.js';
import type { PlanPublisher } from './plan_publisher.js';
import type { Vitals } from './vitals.js';

/** A worker beats once per second, or says until when it rests: it has left that out. */
export const QUIET_MS = 2_000;
/** One that applies a large plan is busy, and its deputy would have to apply more than that. */
const BUSY_MS = 3_000;
/** A thread usually takes the place of a lost one within half a second. */
export const MISSING_MS = 1_000;

export interface AttendanceDeps {
  readonly deputies: Deputies;
  readonly publisher: PlanPublisher;
  readonly vitals: Vitals;
  readonly clock: Clock;
  readonly workers: number;
}

export class Attendance {
  readonly #deps: AttendanceDeps;
  readonly #lostMs: number[] = [];

  constructor(deps: AttendanceDeps) {
    this.#deps = deps;
  }

  lost(worker: WorkerId): void {
    this.#lostMs[worker] = this.#deps.clock.nowMs();
    this.#deps.publisher.leaves(worker);
    this.#now(worker, 'lost');
  }

  /** It was ordered to end, and does so first if it ever runs again: no plan waits for it. */
  stuck(worker: WorkerId): void {
    this.#deps.publisher.leaves(worker);
  }

  notReplaced(worker: WorkerId): void {
    this.#now(worker, 'missing');
  }

  /** A new thread wants the newest plan. */
  replaced(worker: WorkerId): void {
    this.#now(worker, 'returning');
    this.#deps.publisher.joins(worker);
  }

  applied(worker: WorkerId, version: number): void {
    const { publisher, deputies } = this.#deps;
    publisher.applied(worker, version);
    if (deputies.presenceOf(worker) === 'returning') this.#now(worker, 'serves');
  }

  /** To be called several times per second. */
  look(nowMs: number): void {
    for (let worker = 0; worker < this.#deps.workers; worker++) {
      const id = worker as WorkerId;
      const presence = this.#presenceAt(id, nowMs);
      if (presence !== this.#deps.deputies.presenceOf(id)) this.#now(id, presence);
    }
  }

  #presenceAt(worker: WorkerId, nowMs: number): Presence {
    const { deputies, publisher, vitals } = this.#deps;
    const presence = deputies.presenceOf(worker);
    switch (presence) {
      case 'serves':
      case 'quiet': {
        const limitMs = publisher.awaits(worker) ? BUSY_MS : QUIET_MS;
        return nowMs - vitals.lastBeatMs(worker) >= limitMs ? 'quiet' : 'serves';
      }
      case 'lost':
        return nowMs - (this.#lostMs[worker] ?? nowMs) >= MISSING_MS ? 'missing' : 'lost';
      case 'missing':
      case 'returning':
        return presence;
    }
  }

  #now(worker: WorkerId, presence: Presence): void {
    const { deputies, publisher } = this.#deps;
    for (const changed of deputies.now(worker, presence)) publisher.sendTo(changed);
  }
}
