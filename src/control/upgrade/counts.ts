/**
 * Counters go over to the next process, as they are those of the service: first all that they have,
 * and then what they grow by while this one finishes its sessions. So no sum falls, and what the
 * old process still does is counted, too.
 */
import type { SeriesReader } from '../../core/series.js';
import type { CountedSample, CounterTotals } from '../../observe/metrics.js';
import { AccountBook } from '../account_book.js';
import type { Tallies } from '../tallies.js';
import { accountRecord, readAccount, readSample } from './count_text.js';
import type { Handed, StateItem } from './state_parts.js';

export interface CountsDeps {
  /** What workers count. */
  readonly tallies: Tallies;
  readonly series: SeriesReader;
  /** What the main thread counts. */
  readonly metrics: CounterTotals;
}

/** Of the next process: what the one before it reports, as long as it is there. */
export function takeOverCounts(
  handed: Handed | null,
  { tallies, metrics }: Omit<CountsDeps, 'series'>,
): void {
  handed?.each('traffic', (item) => {
    const account = readAccount(item);
    if (account === null) return 'no sense';
    tallies.takeOver(account);
    return 'taken';
  });
  handed?.each('counters', (item) => {
    const sample = readSample(item);
    return sample !== null && metrics.takeOver(sample) ? 'taken' : 'no sense';
  });
}

/** What counters have grown by since it was asked for last. */
export class GrowingCounts {
  readonly #book: AccountBook;
  readonly #metrics: CounterTotals;
  /** By metric and labels: what was reported. */
  readonly #told = new Map<string, number>();

  constructor({ tallies, series, metrics }: CountsDeps) {
    this.#book = new AccountBook(tallies, series);
    this.#metrics = metrics;
  }

  /** Of the part `traffic`; null: a stretch is over. */
  *traffic(): Iterable<StateItem | null> {
    for (const account of this.#book.growth()) {
      yield account === null ? null : accountRecord(account);
    }
  }

  /** Of the part `counters`. */
  async counters(): Promise<Iterable<StateItem>> {
    return this.#grown(await this.#metrics.totals());
  }

  *#grown(totals: readonly CountedSample[]): Iterable<StateItem> {
    for (const { metric, labels, value } of totals) {
      const key = `${metric} ${JSON.stringify(labels)}`;
      const grown = value - (this.#told.get(key) ?? 0);
      if (grown <= 0) continue;
      this.#told.set(key, value);
      yield { metric, labels, value: grown };
    }
  }
}
