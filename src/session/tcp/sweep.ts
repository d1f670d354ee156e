/**
 * Looks regularly at the sessions that moved bytes, so that what long ones have moved reaches the
 * metrics. Thousands at rest cost next to nothing: they are told by a number each, and as long as
 * nobody moves anything no sweep is due by itself.
 */
import { SWEEP_MS } from '../lifetimes.js';
import type { TcpSession } from './session.js';

export class Sweep {
  readonly #lastActivityMs: Float64Array;
  #lastMs = 0;
  #found: 'activity' | 'rest' = 'rest';

  /** `lastActivityMs`: the engine's, by pair. */
  constructor(lastActivityMs: Float64Array) {
    this.#lastActivityMs = lastActivityMs;
  }

  /** When the next one is due; after one that found rest: with whatever else is to be done. */
  get nextMs(): number {
    return this.#found === 'rest' ? Number.POSITIVE_INFINITY : this.#lastMs + SWEEP_MS;
  }

  isTime(nowMs: number): boolean {
    return nowMs >= this.#lastMs + SWEEP_MS;
  }

  /** Calls `look` for each session, by pair, that was active since the last sweep. */
  run(
    nowMs: number,
    sessions: readonly (TcpSession | null)[],
    look: (session: TcpSession) => void,
  ): void {
    this.#found = 'rest';
    for (let pair = 0; pair < sessions.length; pair++) {
      if ((this.#lastActivityMs[pair] ?? 0) < this.#lastMs) continue;
      const session = sessions[pair] ?? null;
      if (session === null || session.phase.at === 'entering') continue;
      look(session);
      this.#found = 'activity';
    }
    this.#lastMs = nowMs;
  }
}
