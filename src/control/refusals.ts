/** Clients that were turned away and datagrams that were dropped, by reason, for the pages. */
import type { CountView } from '../admin/views.js';
import type { SeriesId } from '../core/brand.js';
import { DATAGRAM_DROPS, REFUSALS } from '../core/outcome.js';
import type { SeriesReader } from '../core/series.js';
import { CAUSE_COLUMN, DROP_COLUMN } from '../core/series_layout.js';
import type { Tallies } from './tallies.js';

/** Refusals that say something about the pool; the others are between listener and client. */
const OF_POOLS = [
  'no-backend',
  'all-down',
  'all-full',
  'queue-full',
  'queue-timeout',
  'dial-failed',
  'backend-without-tls',
] as const satisfies readonly (typeof REFUSALS)[number][];

export class Refusals {
  readonly #series: SeriesReader;
  readonly #tallies: Tallies;
  readonly #all: SeriesId[] = [];
  readonly #byListener = new Map<string, SeriesId[]>();
  readonly #byPool = new Map<string, SeriesId[]>();

  /** Reads the present rows: to be made anew for each page. */
  constructor(series: SeriesReader, tallies: Tallies) {
    this.#series = series;
    this.#tallies = tallies;
    for (const { id, listenerKey, labels } of tallies.all()) {
      this.#all.push(id);
      push(this.#byListener, listenerKey, id);
      push(this.#byPool, labels.pool, id);
    }
  }

  /** One column over everything, since the start. */
  total(column: number): number {
    return this.#tallies.pastTotal(column) + this.#sum(this.#all, column);
  }

  ofListener(key: string): CountView[] {
    return this.#counts(REFUSALS, (reason) => this.#ofListener(key, CAUSE_COLUMN[reason]));
  }

  dropsOf(key: string): CountView[] {
    return this.#counts(DATAGRAM_DROPS, (reason) => this.#ofListener(key, DROP_COLUMN[reason]));
  }

  ofPool(pool: string): CountView[] {
    return this.#counts(OF_POOLS, (reason) => {
      const column = CAUSE_COLUMN[reason];
      const past = this.#tallies.pastOfPool(pool, column);
      return past + this.#sum(this.#byPool.get(pool) ?? [], column);
    });
  }

  #ofListener(key: string, column: number): number {
    const past = this.#tallies.pastOfListener(key, column);
    return past + this.#sum(this.#byListener.get(key) ?? [], column);
  }

  #counts<Reason extends CountView['reason']>(
    reasons: readonly Reason[],
    countOf: (reason: Reason) => number,
  ): CountView[] {
    return reasons
      .map((reason) => ({ reason, count: countOf(reason) }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count);
  }

  #sum(rows: readonly SeriesId[], column: number): number {
    return rows.reduce((sum, row) => sum + this.#series.value(row, column), 0);
  }
}

function push(rows: Map<string, SeriesId[]>, key: string, id: SeriesId): void {
  const known = rows.get(key);
  if (known === undefined) rows.set(key, [id]);
  else known.push(id);
}
