/**
 * Since when things are in the state in which they are: noted where a state changes, so that a page
 * does not depend on earlier looks at it. Forgets by itself what is not referred to any more.
 */
import type { Clock } from '../core/clock.js';

export interface StateNow<State> {
  readonly state: State;
  readonly sinceWallMs: number;
}

export class StateTimes<Thing extends object, State extends string> {
  readonly #clock: Clock;
  readonly #known = new WeakMap<Thing, StateNow<State>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `thing` is in `state` now; answers since when, on the wall clock. */
  note(thing: Thing, state: State): number {
    const known = this.#known.get(thing);
    if (known?.state === state) return known.sinceWallMs;
    const sinceWallMs = this.#clock.wallMs();
    this.#known.set(thing, { state, sinceWallMs });
    return sinceWallMs;
  }

  /** If it is in `state` at the next look, it has been there since then. */
  resume(thing: Thing, state: State, sinceWallMs: number): void {
    this.#known.set(thing, { state, sinceWallMs });
  }
}
