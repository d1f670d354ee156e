/** Who was turned away and which datagrams went nowhere, by reason, for the pages. */
import type { CountView } from '../admin/views.js';
import type { ListenerId, SeriesId } from '../core/brand.js';
import { DATAGRAM_DROPS, REFUSALS } from '../core/outcome.js';
import { CAUSE_COLUMN, DROP_COLUMN, type SeriesReader } from '../core/series.js';
import type { Inventory, ListenerEntry } from './inventory.js';

/** Refusals that say something about the pool; the others are between listener and client. */
const OF_POOLS = [
  'no-backend',
  'all-down',
  'all-full',
  'queue-full',
  'queue-timeout',
  'dial-failed',
] as const satisfies readonly (typeof REFUSALS)[number][];

export class Refusals {
  readonly #series: SeriesReader;
  readonly #inventory: Inventory;
  /** All counters of each listener: its own row, and those of the backends behind it. */
  readonly #rows = new Map<ListenerId, SeriesId[]>();

  /** A look at the present rows: to be made anew for each page. */
  constructor(series: SeriesReader, inventory: Inventory) {
    this.#series = series;
    this.#inventory = inventory;
    for (const { id, series } of inventory.listeners.values()) this.#rows.set(id, [series]);
    for (const backend of inventory.backends()) {
      for (const { listener, series } of inventory.seriesOf(backend)) {
        this.#rows.get(listener)?.push(series);
      }
    }
  }

  /** Sum of one column over everything. */
  total(column: number): number {
    return this.#sum([...this.#rows.values()].flat(), column);
  }

  ofListener({ id }: ListenerEntry): CountView[] {
    return this.#counts(this.#rows.get(id) ?? [], REFUSALS, CAUSE_COLUMN);
  }

  dropsOf({ id }: ListenerEntry): CountView[] {
    return this.#counts(this.#rows.get(id) ?? [], DATAGRAM_DROPS, DROP_COLUMN);
  }

  /** Of the listeners that lead to `pool` now. */
  ofPool(pool: string): CountView[] {
    const rows = [...this.#inventory.listeners.values()]
      .filter(({ spec }) => spec.pool === pool)
      .flatMap(({ id }) => this.#rows.get(id) ?? []);
    return this.#counts(rows, OF_POOLS, CAUSE_COLUMN);
  }

  #counts<Reason extends CountView['reason']>(
    rows: readonly SeriesId[],
    reasons: readonly Reason[],
    columns: Readonly<Record<Reason, number>>,
  ): CountView[] {
    return reasons
      .map((reason) => ({ reason, count: this.#sum(rows, columns[reason]) }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count);
  }

  #sum(rows: readonly SeriesId[], column: number): number {
    return rows.reduce((sum, row) => sum + this.#series.value(row, column), 0);
  }
}
