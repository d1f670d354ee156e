/**
 * All that was counted so far, for the next process: by labels, and the sums of each listener, of
 * each pool and of all. It is reported again and again, and each time only what has grown
 * meanwhile.
 */
import type { SeriesId } from '../core/brand.js';
import type { SeriesReader } from '../core/series.js';
import { COLUMNS, PLAIN_COLUMN } from '../core/series_layout.js';
import { addTo, type PastAccounts } from './past_accounts.js';
import type { Account, TallySubject } from './past_counts.js';
import type { Tallies } from './tallies.js';

/** A millisecond. */
const ROWS_PER_STRETCH = 128;

interface Labelled {
  readonly subject: TallySubject;
  readonly rows: SeriesId[];
}

type Sums = Map<string, Float64Array>;

export class AccountBook {
  readonly #tallies: Tallies;
  readonly #series: SeriesReader;
  /** What was reported of each account. */
  readonly #told = new Map<string, Float64Array>();

  constructor(tallies: Tallies, series: SeriesReader) {
    this.#tallies = tallies;
    this.#series = series;
  }

  /**
   * What has grown; null: a stretch is over. It ends early where rows are given back meanwhile:
   * they would count twice, or not at all. The next call reports what is left.
   */
  *growth(): Iterable<Account | null> {
    const { past, givenBack } = this.#tallies;
    const [listeners, pools]: [Sums, Sums] = [new Map(), new Map()];
    const all = Float64Array.from(past.ofProcess);
    let rowsRead = 0;
    for (const [name, { subject, rows }] of this.#labelled()) {
      const values = copyOf(past.ofLabels.get(name)?.values);
      for (const row of rows) {
        const counted = this.#read(row);
        addTo(values, counted);
        addTo(all, counted);
        addTo(sumIn(pools, past.ofPools, subject.labels.pool), counted);
        const { listenerKey } = subject;
        if (listenerKey !== '') addTo(sumIn(listeners, past.ofListeners, listenerKey), counted);
      }
      const grown = this.#grown(`labels ${name}`, values);
      if (grown !== null) yield { of: 'labels', subject, values: grown };
      rowsRead += 1 + rows.length;
      if (rowsRead >= ROWS_PER_STRETCH) {
        rowsRead = 0;
        yield null;
      }
      if (this.#tallies.givenBack !== givenBack) return;
    }
    const grown = this.#grown('process', all);
    if (grown !== null) yield { of: 'process', values: grown };
    yield* this.#sums('listener', listeners, past.ofListeners);
    yield* this.#sums('pool', pools, past.ofPools);
  }

  *#sums(of: 'listener' | 'pool', sums: Sums, past: PastAccounts<null>): Iterable<Account> {
    for (const [name] of past.entries()) sumIn(sums, past, name);
    for (const [name, now] of sums) {
      const values = this.#grown(`${of} ${name}`, now);
      if (values !== null) yield { of, name, values };
    }
  }

  #read(row: SeriesId): Float64Array {
    const counted = new Float64Array(COLUMNS);
    this.#series.addTo(counted, row);
    counted[PLAIN_COLUMN.active] = 0;
    return counted;
  }

  #labelled(): ReadonlyMap<string, Labelled> {
    const found = new Map<string, Labelled>();
    for (const [name, { subject }] of this.#tallies.past.ofLabels.entries()) {
      found.set(name, { subject, rows: [] });
    }
    for (const tally of this.#tallies.all()) {
      const known = found.get(tally.name) ?? { subject: tally, rows: [] };
      known.rows.push(tally.id);
      found.set(tally.name, known);
    }
    return found;
  }

  /** null: it has not grown. */
  #grown(key: string, now: Float64Array): Float64Array | null {
    const told = this.#told.get(key) ?? new Float64Array(COLUMNS);
    const values = now.map((value, at) => Math.max(0, value - (told[at] ?? 0)));
    if (values.every((value) => value === 0)) return null;
    addTo(told, values);
    this.#told.set(key, told);
    return values;
  }
}

/** With what is past of it. */
function sumIn(sums: Sums, past: PastAccounts<null>, name: string): Float64Array {
  const known = sums.get(name);
  if (known !== undefined) return known;
  const sum = copyOf(past.get(name)?.values);
  sums.set(name, sum);
  return sum;
}

function copyOf(values: Float64Array | undefined): Float64Array {
  return values === undefined ? new Float64Array(COLUMNS) : Float64Array.from(values);
}
