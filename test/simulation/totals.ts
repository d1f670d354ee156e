/** No total falls while a reload removes things and brings them back, whatever it is a total of. */
import { Refusals } from '../../src/control/refusals.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  DROP_COLUMN,
  PLAIN_COLUMN,
} from '../../src/core/series_layout.js';
import { holds } from './failure.js';
import type { Scene } from './invariants.js';

const { active, ...PLAIN } = PLAIN_COLUMN;
const COLUMNS = Object.entries({ PLAIN, CAUSE_COLUMN, DIAL_COLUMN, DROP_COLUMN }).flatMap(
  ([kind, columns]) =>
    Object.entries(columns).map(([name, column]) => [`${kind} ${name}`, column] as const),
);

export class Totals {
  /** By what is counted where. */
  readonly #seen = new Map<string, number>();

  check({ inventory, shared }: Pick<Scene, 'inventory' | 'shared'>): void {
    const { tallies } = inventory;
    const refusals = new Refusals(shared.series, tallies);
    for (const [name, column] of COLUMNS) {
      this.#grows(`${name} of the process`, refusals.total(column));
    }
    for (const { key } of inventory.listeners.values()) {
      for (const { reason, count } of refusals.ofListener(key)) {
        this.#grows(`refused ${reason} of listener ${key}`, count);
      }
      for (const { reason, count } of refusals.dropsOf(key)) {
        this.#grows(`dropped ${reason} of listener ${key}`, count);
      }
    }
    for (const { key } of inventory.pools.values()) {
      for (const { reason, count } of refusals.ofPool(key)) {
        this.#grows(`${reason} of pool ${key}`, count);
      }
    }
    const labelled = new Set<string>();
    let running = 0;
    for (const row of tallies.shown()) {
      const labels = Object.values(row.labels).join(' ');
      holds(!labelled.has(labels), () => `two rows are shown for ${labels}`);
      labelled.add(labels);
      const value = (column: number): number =>
        row.series.reduce(
          (sum, id) => sum + shared.series.value(id, column),
          row.past?.[column] ?? 0,
        );
      for (const [name, column] of COLUMNS) this.#grows(`${name} of ${labels}`, value(column));
      running += value(active);
    }
    const counted = [...inventory.listeners.values()]
      .map(({ id }) => shared.ledger.listenerActive(id))
      .reduce((sum, each) => sum + each, 0);
    holds(running === counted, () => `${running} sessions are shown, ${counted} run`);
    holds(refusals.total(active) === counted, () => `the page does not show ${counted} sessions`);
  }

  #grows(what: string, now: number): void {
    const before = this.#seen.get(what) ?? 0;
    holds(now >= before, () => `${what} fell from ${before} to ${now}`);
    if (now > before) this.#seen.set(what, now);
  }
}
