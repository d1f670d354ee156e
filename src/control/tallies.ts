/**
 * The counters of traffic by name: of each listener with each backend that served it, and of each
 * listener with its pool, where no backend was reached. A row that is given back leaves what it
 * counted to the past of its labels, its listener, its pool and the process: no total falls because
 * a reload removes something, and what comes back counts on.
 */
import { present } from '../core/assert.js';
import type { BackendId, ListenerId, SeriesId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import { MAX_LISTENERS } from '../core/limits.js';
import { LISTENER_ROWS, type SeriesReader } from '../core/series.js';
import { COLUMNS, PLAIN_COLUMN } from '../core/series_layout.js';
import type { SeriesRow } from '../observe/metrics_source.js';
import { type Account, PastCounts, type TallySubject, tallyKey } from './past_counts.js';
import { Rows } from './registry.js';

/** A few scrapes: what is gone is shown for this long, so that its last counts are seen. */
export const PAST_SHOWN_MS = 5 * 60_000;

export interface Tally extends TallySubject {
  readonly id: SeriesId;
  /** The same for the same labels. */
  readonly name: string;
}

export interface ListenerName {
  readonly key: string;
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
}

interface Unreached {
  readonly listener: ListenerId;
  readonly key: string;
  readonly tally: Tally;
}

interface Shown {
  readonly rows: readonly SeriesRow[];
  readonly untilMs: number;
  /** Of the rows of pairs. */
  readonly version: number;
}

export class Tallies {
  readonly #series: SeriesReader;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #rows = new Rows<SeriesId>(LISTENER_ROWS);
  readonly #unreached = new Map<string, Unreached>();
  readonly #listeners = new Map<ListenerId, ListenerName>();
  readonly #backends = new Map<BackendId, { readonly pool: string; readonly backend: string }>();
  /** By row of a pair, as far as it has been asked for. */
  readonly #pairs = new Map<SeriesId, Tally>();
  readonly past = new PastCounts();
  /** Names of labels that another process has counted: shown while they may count again. */
  readonly #takenOver = new Set<string>();
  /** Pages ask for the same many times: made again when a row comes or goes. */
  #shown: Shown | null = null;
  #givenBack = 0;

  constructor(series: SeriesReader, clock: Pick<Clock, 'nowMs'>) {
    this.#series = series;
    this.#clock = clock;
  }

  /** Which listener has the row `id` from now on. */
  listenerIs(id: ListenerId, name: ListenerName): void {
    this.#listeners.set(id, name);
    this.#shown = null;
  }

  /** Which backend has the row `id` from now on. */
  backendIs(id: BackendId, name: { readonly pool: string; readonly backend: string }): void {
    this.#backends.set(id, name);
    this.#shown = null;
  }

  /**
   * Where a listener counts sessions that reach no backend of `pool`. Where rows are short that is
   * `before`, where it has counted so far: one row is kept for each listener that may still come.
   */
  unreached(listener: ListenerId, pool: string, before: SeriesId | null): SeriesId {
    const owner = present(this.#listeners.get(listener), 'a listener that counts is known');
    const key = `${owner.key}>${pool}`;
    const known = this.#unreached.get(key);
    if (known !== undefined) return known.tally.id;
    const kept = MAX_LISTENERS - this.#listeners.size;
    if (before !== null && this.#rows.free <= kept) return before;
    const id = this.#rows.take(key, (row) => this.#series.clear(row));
    const labels = { listener: owner.name, pool, backend: '' };
    const subject = { listenerKey: owner.key, protocol: owner.protocol, labels };
    this.#unreached.set(key, { listener, key, tally: { ...subject, id, name: tallyKey(labels) } });
    this.#shown = null;
    return id;
  }

  /** Nothing counts at that backend any more, and its row is free. */
  backendGone(backend: BackendId): void {
    for (const { series, listener } of this.#series.rowsOf(backend)) {
      const tally = this.#pairTally(series, listener, backend);
      if (tally !== null) this.#pass(tally);
      this.#pairs.delete(series);
    }
    this.#series.releaseBackend(backend);
    this.#backends.delete(backend);
    this.#shown = null;
    this.#trim();
  }

  /** The same for listeners. */
  listenersGone(listeners: ReadonlySet<ListenerId>): void {
    this.#release((listener) => listeners.has(listener));
    for (const listener of listeners) this.#listeners.delete(listener);
    this.#shown = null;
  }

  /** Gives back what `isLeft` says is of no use any more and where no session counts. */
  releaseIdle(isLeft: (listener: ListenerId, pool: string) => boolean): void {
    this.#release(
      (listener, pool, row) =>
        isLeft(listener, pool) && this.#series.value(row, PLAIN_COLUMN.active) === 0,
    );
  }

  /** The rows in use. */
  *all(): IterableIterator<Tally> {
    for (const { tally } of this.#unreached.values()) yield tally;
    for (const [backend, rows] of this.#series.backendRows()) {
      for (const { series, listener } of rows) {
        const tally = this.#pairTally(series, listener, backend);
        if (tally !== null) yield tally;
      }
    }
  }

  /** The same, without an object for each row: for a look at thousands of them. */
  each(visit: (tally: Tally) => void): void {
    for (const { tally } of this.#unreached.values()) visit(tally);
    this.#series.eachBackendRow(({ series, listener }, backend) => {
      const tally = this.#pairTally(series, listener, backend);
      if (tally !== null) visit(tally);
    });
  }

  /** How often a row was given back so far. */
  get givenBack(): number {
    return this.#givenBack;
  }

  /** What rows of everything, of a listener or of a pool had counted when they were given back. */
  pastTotal(column: number): number {
    return this.past.ofProcess[column] ?? 0;
  }

  pastOfListener(listenerKey: string, column: number): number {
    return this.past.ofListeners.get(listenerKey)?.values[column] ?? 0;
  }

  pastOfPool(pool: string, column: number): number {
    return this.past.ofPools.get(pool)?.values[column] ?? 0;
  }

  /** Another process, before this one, has counted it. */
  takeOver(account: Account): void {
    this.past.add(account, this.#clock.nowMs());
    if (account.of === 'labels') this.#takenOver.add(tallyKey(account.subject.labels));
    this.#shown = null;
  }

  /** What counts, and what has ended a short while ago; no two have the same labels. */
  shown(): readonly SeriesRow[] {
    const now = this.#clock.nowMs();
    const shown = this.#shown;
    const isCurrent = shown !== null && shown.version === this.#series.rowsVersion;
    if (isCurrent && now < shown.untilMs) return shown.rows;
    this.#shown = this.#show(now);
    return this.#shown.rows;
  }

  #show(nowMs: number): Shown {
    const version = this.#series.rowsVersion;
    const isHere = this.#takenOverHere();
    const rows = new Map<string, SeriesRow>();
    for (const tally of this.all()) {
      const known = rows.get(tally.name);
      const past = this.past.ofLabels.get(tally.name)?.values ?? null;
      rows.set(tally.name, {
        series: [...(known?.series ?? []), tally.id],
        // Where a listener changed its protocol both count: what UDP has is shown.
        protocol: known?.protocol === 'udp' ? 'udp' : tally.protocol,
        labels: known?.labels ?? tally.labels,
        past,
      });
    }
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [name, { subject, values, endedMs }] of this.past.ofLabels.entries()) {
      const goneMs = isHere.has(name) ? Number.POSITIVE_INFINITY : endedMs + PAST_SHOWN_MS;
      if (goneMs <= nowMs || rows.has(name)) continue;
      untilMs = Math.min(untilMs, goneMs);
      const { protocol, labels } = subject;
      rows.set(name, { series: [], protocol, labels, past: values });
    }
    return { rows: [...rows.values()], untilMs, version };
  }

  #release(isGone: (listener: ListenerId, pool: string, row: SeriesId) => boolean): void {
    for (const { listener, key, tally } of [...this.#unreached.values()]) {
      if (!isGone(listener, tally.labels.pool, tally.id)) continue;
      this.#pass(tally);
      this.#unreached.delete(key);
      this.#rows.release(key);
    }
    this.#series.releasePairs(({ listener, series }, backend) => {
      const tally = this.#pairTally(series, listener, backend);
      if (tally === null || !isGone(listener, tally.labels.pool, series)) return false;
      this.#pass(tally);
      this.#pairs.delete(series);
      return true;
    });
    this.#trim();
  }

  /** What the row has counted is past: nothing counts there any more. */
  #pass(tally: Tally): void {
    this.#shown = null;
    this.#givenBack++;
    const values = new Float64Array(COLUMNS);
    this.#series.addTo(values, tally.id);
    values[PLAIN_COLUMN.active] = 0;
    this.past.pass(tally, values, this.#clock.nowMs());
    this.#takenOver.delete(tally.name);
  }

  /**
   * The same object for as long as the pair has the row: its labels are formatted once. null: for
   * a pair that is not known any more.
   */
  #pairTally(id: SeriesId, listener: ListenerId | null, backend: BackendId): Tally | null {
    const owner = listener === null ? SEVERAL : this.#listeners.get(listener);
    const place = this.#backends.get(backend);
    if (owner === undefined || place === undefined) return null;
    const known = this.#pairs.get(id);
    const isSame =
      known?.listenerKey === owner.key &&
      known.labels.pool === place.pool &&
      known.labels.backend === place.backend;
    if (isSame) return known;
    const labels = { listener: owner.name, ...place };
    const { key: listenerKey, protocol } = owner;
    const tally = { id, listenerKey, protocol, labels, name: tallyKey(labels) };
    this.#pairs.set(id, tally);
    return tally;
  }

  #trim(): void {
    this.past.trim((nameIn) => {
      const names = new Set([...this.all()].map(nameIn));
      for (const name of this.#takenOverHere()) {
        const account = this.past.ofLabels.get(name);
        if (account !== undefined) names.add(nameIn(account.subject));
      }
      return names;
    });
  }

  /** Those of which listener and backend are there. */
  #takenOverHere(): ReadonlySet<string> {
    const here = new Set<string>();
    if (this.#takenOver.size === 0) return here;
    const listeners = new Set([...this.#listeners.values()].map(({ key }) => key));
    const backends = new Set([...this.#backends.values()].map(placeOf));
    for (const name of this.#takenOver) {
      const { listenerKey, labels } = this.past.ofLabels.get(name)?.subject ?? UNKNOWN_OWNER;
      const isBackendHere = labels.backend === '' || backends.has(placeOf(labels));
      const isListenerHere = listenerKey === '' || listeners.has(listenerKey);
      if (isBackendHere && isListenerHere) here.add(name);
    }
    return here;
  }
}

/** Neither name holds a zero byte. */
function placeOf({ pool, backend }: { readonly pool: string; readonly backend: string }): string {
  return `${pool}\0${backend}`;
}

/** One that was trimmed. */
const UNKNOWN_OWNER = { listenerKey: '?', labels: { pool: '', backend: '' } } as const;

/** Where there was no row for each pair. */
const SEVERAL = { key: '', name: '', protocol: 'any' } as const;
