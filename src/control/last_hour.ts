/**
 * The last hour in figures, of the daemon and of each pool, for people who look when it is too late
 * to watch: a point every ten seconds, in memory that is bounded and small.
 */
import { type Clock, type Timer, type Timers, untilTogether } from '../core/clock.js';
import { DIAL_FAILURES, REFUSALS } from '../core/outcome.js';
import { quantile } from '../core/quantile.js';
import type { SeriesReader } from '../core/series.js';
import {
  BUCKET_COLUMNS,
  CAUSE_COLUMN,
  DIAL_COLUMN,
  HISTOGRAM_BOUNDS_SECONDS,
  PLAIN_COLUMN,
} from '../core/series_layout.js';
import type { Tallies } from './tallies.js';
import type { Handed, StateItem } from './upgrade/state_parts.js';

/** One each ten seconds. */
export const MAX_POINTS = 360;
/** Pools with figures of their own, 26 KiB each; further ones count for the daemon alone. */
export const MAX_POOLS_KEPT = 64;

export interface Point {
  /** At its end. */
  readonly wallMs: number;
  readonly sessions: number;
  readonly acceptedPerSecond: number;
  readonly refusedPerSecond: number;
  /** Dials that failed, and sessions that a backend reset. */
  readonly failedPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  /** To the first byte of a backend; null: none answered. */
  readonly medianMs: number | null;
  readonly p99Ms: number | null;
}

const BOUNDS = HISTOGRAM_BOUNDS_SECONDS.firstByte;
/** What is added up: rates first, then the buckets of the histogram. */
const COUNTED: readonly (readonly number[])[] = [
  [PLAIN_COLUMN.accepted],
  REFUSALS.map((cause) => CAUSE_COLUMN[cause]),
  [...DIAL_FAILURES.map((cause) => DIAL_COLUMN[cause]), CAUSE_COLUMN['backend-reset']],
  [PLAIN_COLUMN.bytesIn],
  [PLAIN_COLUMN.bytesOut],
  ...BUCKET_COLUMNS.firstByte.map((column) => [column]),
];
const RATES = 5;
/** What is read of a row: how many sessions there are now, then what is added up. */
const READ = [PLAIN_COLUMN.active, ...COUNTED.flat()];
/** Of a point in memory: the time, the sessions, the rates, both quantiles. */
const FIELDS = 1 + 1 + RATES + 2;

/** Of the daemon, or of one pool. */
class Scope {
  readonly #points = new Float64Array(MAX_POINTS * FIELDS);
  #count = 0;
  #before: Float64Array | null = null;

  add(counts: Float64Array, sessions: number, wallMs: number, spanMs: number): void {
    const before = this.#before;
    this.#before = counts;
    if (before === null) return;
    // A row that is given back between two looks may take some with it.
    const gained = counts.map((count, at) => Math.max(0, count - (before[at] ?? 0)));
    const rates = gained.subarray(0, RATES).map((count) => (1_000 * count) / spanMs);
    const buckets = gained.subarray(RATES);
    const quantiles = [0.5, 0.99].map((share) => 1_000 * quantile(buckets, BOUNDS, share));
    const at = (this.#count++ % MAX_POINTS) * FIELDS;
    this.#points.set([wallMs, sessions, ...rates, ...quantiles], at);
  }

  /** From here on, as if nothing had been counted before. */
  rebase(counts: Float64Array): void {
    this.#before = counts;
  }

  /** As they are in memory, oldest first. */
  rows(): readonly (readonly number[])[] {
    const kept = Math.min(this.#count, MAX_POINTS);
    return Array.from({ length: kept }, (_, index) => {
      const start = ((this.#count - kept + index) % MAX_POINTS) * FIELDS;
      return [...this.#points.subarray(start, start + FIELDS)];
    });
  }

  /** Those of the process before this one. */
  resume(rows: readonly (readonly number[])[]): void {
    for (const row of rows) this.#points.set(row, (this.#count++ % MAX_POINTS) * FIELDS);
  }

  /** Oldest first. */
  points(): readonly Point[] {
    const kept = Math.min(this.#count, MAX_POINTS);
    return Array.from({ length: kept }, (_, index) => this.#point(this.#count - kept + index));
  }

  #point(number: number): Point {
    const start = (number % MAX_POINTS) * FIELDS;
    const read = (field: number): number => this.#points[start + field] ?? Number.NaN;
    const orNull = (field: number): number | null =>
      Number.isNaN(read(field)) ? null : read(field);
    return {
      wallMs: read(0),
      sessions: read(1),
      acceptedPerSecond: read(2),
      refusedPerSecond: read(3),
      failedPerSecond: read(4),
      bytesInPerSecond: read(5),
      bytesOutPerSecond: read(6),
      medianMs: orNull(7),
      p99Ms: orNull(8),
    };
  }
}

export interface LastHourDeps {
  readonly series: SeriesReader;
  readonly tallies: Tallies;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The names of those that there are. */
  readonly pools: () => Iterable<string>;
  /** What the process before this one reports; null: there is none. */
  readonly handed: Handed | null;
}

export class LastHour {
  readonly #deps: LastHourDeps;
  readonly #all = new Scope();
  readonly #pools = new Map<string, Scope>();
  #lookedMs: number;
  #points = 0;
  #next: Timer;

  /** Looks from now on, until `end`. */
  constructor(deps: LastHourDeps) {
    this.#deps = deps;
    this.#lookedMs = deps.clock.nowMs();
    this.#look();
    this.#next = this.#later();
    deps.handed?.each('hour', (item) => this.#takeOver(item));
    // What was counted in the last years is nothing of the last seconds.
    void deps.handed?.settled.then(() => this.#rebase());
  }

  /** For the next process; null: others may have their turn. */
  *records(): Iterable<StateItem | null> {
    yield { pool: null, points: this.#all.rows() };
    for (const [pool, scope] of this.#pools) {
      yield null;
      yield { pool, points: scope.rows() };
    }
  }

  end(): void {
    this.#next.cancel();
  }

  /** How many points there were so far: it grows with each. */
  get revision(): number {
    return this.#points;
  }

  #later(): Timer {
    const { clock, timers } = this.#deps;
    return timers.after(untilTogether(clock.nowMs()), () => {
      this.#look();
      this.#next = this.#later();
    });
  }

  #look(): void {
    const { clock, pools, handed } = this.#deps;
    if (handed?.isSettled === false) return;
    const nowMs = clock.nowMs();
    const wallMs = clock.wallMs();
    const spanMs = Math.max(1, nowMs - this.#lookedMs);
    this.#lookedMs = nowMs;
    this.#points++;
    const names = [...pools()].slice(0, MAX_POOLS_KEPT);
    const now = this.#count(names);
    const there = new Set(names);
    for (const gone of [...this.#pools.keys()].filter((name) => !there.has(name))) {
      this.#pools.delete(gone);
    }
    this.#all.add(countedIn(now.all), now.all[0] ?? 0, wallMs, spanMs);
    for (const [name, sums] of now.pools) {
      this.#scopeOf(name).add(countedIn(sums), sums[0] ?? 0, wallMs, spanMs);
    }
  }

  #scopeOf(pool: string): Scope {
    const scope = this.#pools.get(pool) ?? new Scope();
    this.#pools.set(pool, scope);
    return scope;
  }

  #takeOver({ pool, points }: StateItem): 'taken' | 'no sense' {
    const rows = rowsFrom(points);
    if (rows === null || (pool !== null && typeof pool !== 'string')) return 'no sense';
    if (pool !== null && this.#pools.size >= MAX_POOLS_KEPT) return 'no sense';
    (pool === null ? this.#all : this.#scopeOf(pool)).resume(rows);
    this.#points += rows.length;
    return 'taken';
  }

  #rebase(): void {
    this.#lookedMs = this.#deps.clock.nowMs();
    const { all, pools } = this.#count([...this.#pools.keys()]);
    this.#all.rebase(countedIn(all));
    for (const [name, sums] of pools) this.#scopeOf(name).rebase(countedIn(sums));
  }

  /** Of a pool, or of all; oldest first. null: nothing is kept of it. */
  of(pool: string | null): readonly Point[] | null {
    return (pool === null ? this.#all : this.#pools.get(pool))?.points() ?? null;
  }

  /**
   * Sums as in `READ`, of all and of the pools `names`. Ten thousand rows are read without making
   * anything for each: collecting it took longer.
   */
  #count(names: readonly string[]) {
    const { tallies, series } = this.#deps;
    const all = past((column) => tallies.pastTotal(column));
    const pools = new Map(
      names.map((name) => [name, past((column) => tallies.pastOfPool(name, column))]),
    );
    tallies.each(({ id, labels }) => {
      series.addColumns(all, id, READ);
      const its = pools.get(labels.pool);
      if (its !== undefined) series.addColumns(its, id, READ);
    });
    return { all, pools };
  }
}

/** What is added up, from sums as in `READ`. */
function countedIn(sums: Float64Array): Float64Array {
  let at = 1;
  return Float64Array.from(COUNTED, ({ length }) => {
    let count = 0;
    for (const end = at + length; at < end; at++) count += sums[at] ?? 0;
    return count;
  });
}

/** null: they are none. What is not known is NaN, which JSON has as null. */
function rowsFrom(points: unknown): readonly (readonly number[])[] | null {
  if (!Array.isArray(points) || points.length > MAX_POINTS) return null;
  const rows = points.map((row: unknown) =>
    Array.isArray(row) && row.length === FIELDS ? row.map((one) => one ?? Number.NaN) : [],
  );
  const isRow = (row: readonly unknown[]): boolean =>
    row.length === FIELDS && row.every((one) => typeof one === 'number') && Number(row[0]) > 0;
  return rows.every(isRow) ? rows : null;
}

/** What rows that are no more have counted: no session is there any more. */
function past(of: (column: number) => number): Float64Array {
  return Float64Array.from(READ, (column, at) => (at === 0 ? 0 : of(column)));
}
