/**
 * How often the daemon looks at ramps, drains, ejections and workers: several times per second
 * while something may happen, once per second while little does, and hardly ever at rest, when each
 * look is most of what the daemon costs.
 */
import type { WorkerId } from '../core/brand.js';
import type { SeriesReader } from '../core/series.js';
import { PLAIN_COLUMN } from '../core/series_layout.js';
import type { Inventory } from './inventory.js';
import type { Vitals } from './vitals.js';

export const BUSY_MS = 250;
const CALM_MS = 1_000;
/** A rest follows this many calm looks: traffic of one session per second is not calm. */
const CALM_LOOKS = 5;
/** A look comes this long after a worker's rest, when it has shown that the worker lives. */
const AFTER_REST_MS = 100;
/** Workers rest for no longer. */
const MAX_REST_MS = 10_100;

export interface LookPaceDeps {
  readonly series: SeriesReader;
  readonly inventory: Inventory;
  readonly vitals: Vitals;
  readonly workers: number;
  /** No backend ramps, drains or is ejected: without new sessions nothing else moves, either. */
  readonly isCalm: () => boolean;
  /** And nothing that is not a worker can change that: no probes, no sources, no end of a time. */
  readonly isStill: () => boolean;
}

export interface NextLook {
  readonly delayMs: number;
  readonly kind: 'at work' | 'at rest';
}

export class LookPace {
  readonly #deps: LookPaceDeps;
  /** Sessions and flows that had begun at the last look. */
  #begun = 0;
  /** Looks in a row at which nothing had begun. */
  #calm = 0;

  constructor(deps: LookPaceDeps) {
    this.#deps = deps;
  }

  /** The main thread is up: no worker has to wake it. */
  wakes(): void {
    this.#deps.vitals.wakesMain();
  }

  /** When the next look is due. */
  next(nowMs: number): NextLook {
    const { isCalm, isStill } = this.#deps;
    const begun = this.#begunNow();
    this.#calm = isCalm() && begun === this.#begun ? this.#calm + 1 : 0;
    this.#begun = begun;
    if (this.#calm === 0) return { delayMs: BUSY_MS, kind: 'at work' };
    const restMs = this.#calm >= CALM_LOOKS && isStill() ? this.#restMs(nowMs) : 0;
    if (restMs > CALM_MS) return { delayMs: restMs, kind: 'at rest' };
    return { delayMs: CALM_MS, kind: 'at work' };
  }

  #begunNow(): number {
    const { series, inventory } = this.#deps;
    let begun = 0;
    for (const { series: row } of inventory.listeners.values()) {
      begun += series.value(row, PLAIN_COLUMN.accepted);
    }
    return begun;
  }

  /** Until all workers have rested; each says from now on when it is disturbed. */
  #restMs(nowMs: number): number {
    const { vitals, workers } = this.#deps;
    vitals.mainRests();
    let untilMs = nowMs + MAX_REST_MS - AFTER_REST_MS;
    for (let worker = 0; worker < workers; worker++) {
      untilMs = Math.min(untilMs, vitals.lastBeatMs(worker as WorkerId));
    }
    if (untilMs > nowMs) return untilMs - nowMs + AFTER_REST_MS;
    vitals.wakesMain();
    return 0;
  }
}
