/**
 * The counters of traffic: a row of shared memory for each listener with each backend that it leads
 * to, and for each listener with its pool, where no backend was reached. A row that is given back
 * leaves what it counted to the past of its labels, its listener, its pool and the process: no
 * total falls because a reload removes something, and what comes back counts on.
 */
import type { SeriesId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import { MAX_LISTENERS, MAX_POOLS, MAX_SERIES } from '../core/limits.js';
import { COLUMNS, PLAIN_COLUMN, type SeriesReader } from '../core/series.js';
import type { SeriesRow } from '../observe/metrics_source.js';
import { addTo, PastAccounts } from './past_accounts.js';
import { Rows } from './registry.js';

/** A few scrapes: what is gone is shown for so long, so that its last counts are seen. */
export const PAST_SHOWN_MS = 5 * 60_000;
/** A kilobyte each. */
const MAX_PAST_ROWS = 2_048;

/** What a row counts for. */
export interface TallySubject {
  readonly listenerKey: string;
  readonly protocol: SeriesRow['protocol'];
  readonly labels: SeriesRow['labels'];
}

export interface Tally extends TallySubject {
  readonly id: SeriesId;
  readonly key: string;
  /** The same for the same labels. */
  readonly name: string;
}

interface Shown {
  readonly rows: readonly SeriesRow[];
  readonly untilMs: number;
}

export class Tallies {
  readonly #series: SeriesReader;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #rows = new Rows<SeriesId>(MAX_SERIES);
  readonly #byKey = new Map<string, Tally>();
  readonly #ofProcess = new Float64Array(COLUMNS);
  readonly #ofLabels = new PastAccounts<TallySubject>(MAX_PAST_ROWS);
  readonly #ofListeners = new PastAccounts<null>(2 * MAX_LISTENERS);
  readonly #ofPools = new PastAccounts<null>(2 * MAX_POOLS);
  /** Pages ask for the same many times: made again when a row comes or goes. */
  #shown: Shown | null = null;

  constructor(series: SeriesReader, clock: Pick<Clock, 'nowMs'>) {
    this.#series = series;
    this.#clock = clock;
  }

  get limit(): number {
    return this.#rows.limit;
  }

  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }

  get(key: string): SeriesId | undefined {
    return this.#rows.get(key);
  }

  take(key: string, subject: TallySubject): SeriesId {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const id = this.#rows.take(key, (row) => this.#series.clear(row));
    this.#byKey.set(key, { ...subject, id, key, name: nameOf(subject.labels) });
    this.#shown = null;
    return id;
  }

  /** Gives the row back: nothing counts on it any more. */
  release(key: string): void {
    const tally = this.#byKey.get(key);
    if (tally === undefined) return;
    this.#byKey.delete(key);
    this.#rows.release(key);
    this.#shown = null;
    const values = new Float64Array(COLUMNS);
    this.#series.addTo(values, tally.id);
    values[PLAIN_COLUMN.active] = 0;
    const now = this.#clock.nowMs();
    addTo(this.#ofProcess, values);
    this.#ofLabels.add(tally.name, tally, values, now);
    this.#ofListeners.add(tally.listenerKey, null, values, now);
    this.#ofPools.add(tally.labels.pool, null, values, now);
    this.#trim(this.#ofLabels, ({ name }) => name);
    this.#trim(this.#ofListeners, ({ listenerKey }) => listenerKey);
    this.#trim(this.#ofPools, ({ labels }) => labels.pool);
  }

  /** Gives back every row that is `chosen`. */
  releaseAll(chosen: (tally: Tally) => boolean): void {
    for (const [key, tally] of [...this.#byKey]) if (chosen(tally)) this.release(key);
  }

  /** No session or flow counts there. */
  isIdle({ id }: Tally): boolean {
    return this.#series.value(id, PLAIN_COLUMN.active) === 0;
  }

  /** The rows in use. */
  all(): IterableIterator<Tally> {
    return this.#byKey.values();
  }

  /** What rows of everything, of a listener or of a pool had counted when they were given back. */
  pastTotal(column: number): number {
    return this.#ofProcess[column] ?? 0;
  }

  pastOfListener(listenerKey: string, column: number): number {
    return this.#ofListeners.get(listenerKey)?.values[column] ?? 0;
  }

  pastOfPool(pool: string, column: number): number {
    return this.#ofPools.get(pool)?.values[column] ?? 0;
  }

  /** What counts, and what has ended a short while ago; no two have the same labels. */
  shown(): readonly SeriesRow[] {
    const now = this.#clock.nowMs();
    if (this.#shown === null || now >= this.#shown.untilMs) this.#shown = this.#show(now);
    return this.#shown.rows;
  }

  #show(nowMs: number): Shown {
    const rows = new Map<string, SeriesRow>();
    for (const tally of this.#byKey.values()) {
      const known = rows.get(tally.name);
      const past = this.#ofLabels.get(tally.name)?.values ?? null;
      rows.set(tally.name, {
        series: [...(known?.series ?? []), tally.id],
        // Where a listener changed its protocol both count: what UDP has is shown.
        protocol: known?.protocol === 'udp' ? 'udp' : tally.protocol,
        labels: known?.labels ?? tally.labels,
        past,
      });
    }
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [name, { subject, values, endedMs }] of this.#ofLabels.entries()) {
      const goneMs = endedMs + PAST_SHOWN_MS;
      if (goneMs <= nowMs || rows.has(name)) continue;
      untilMs = Math.min(untilMs, goneMs);
      const { protocol, labels } = subject;
      rows.set(name, { series: [], protocol, labels, past: values });
    }
    return { rows: [...rows.values()], untilMs };
  }

  #trim<Subject>(accounts: PastAccounts<Subject>, nameIn: (tally: Tally) => string): void {
    if (accounts.isOverfull) accounts.trim(new Set([...this.#byKey.values()].map(nameIn)));
  }
}

/** No name holds a zero byte. */
function nameOf({ listener, pool, backend }: TallySubject['labels']): string {
  return `${listener}\0${pool}\0${backend}`;
}
