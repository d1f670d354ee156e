/**
 * How often the daemon looks at ramps, drains, ejections and workers: some times a second while
 * something may happen, and once a second at rest, when each look is most of what the daemon costs.
 */
import { PLAIN_COLUMN, type SeriesReader } from '../core/series.js';
import type { Inventory } from './inventory.js';

const BUSY_MS = 250;
const REST_MS = 1_000;

export class LookPace {
  readonly #series: SeriesReader;
  readonly #inventory: Inventory;
  readonly #isCalm: () => boolean;
  /** Sessions and flows that had begun at the last look. */
  #begun = 0;

  /**
   * `isCalm`: no backend ramps, drains or is ejected. Without new sessions nothing else moves,
   * either.
   */
  constructor(series: SeriesReader, inventory: Inventory, isCalm: () => boolean) {
    this.#series = series;
    this.#inventory = inventory;
    this.#isCalm = isCalm;
  }

  nextDelayMs(): number {
    let begun = 0;
    for (const { series } of this.#inventory.listeners.values()) {
      begun += this.#series.value(series, PLAIN_COLUMN.accepted);
    }
    const isAtRest = this.#isCalm() && begun === this.#begun;
    this.#begun = begun;
    return isAtRest ? REST_MS : BUSY_MS;
  }
}
