/**
 * The columns of a row of counters by name, for another process, whose rows may be laid out in
 * another way: `accepted`, `cause finished`, `connect 0.005`. `active` is no counter.
 */
import {
  BUCKET_COLUMNS,
  CAUSE_COLUMN,
  COLUMNS,
  DIAL_COLUMN,
  DROP_COLUMN,
  DRY_COLUMN,
  HISTOGRAM_BOUNDS_SECONDS,
  HISTOGRAMS,
  PLAIN_COLUMN,
  SUM_COLUMN,
} from './series_layout.js';

/** By name: the column. */
const COLUMN_BY_NAME: ReadonlyMap<string, number> = new Map([
  ...named('', PLAIN_COLUMN).filter(([, column]) => column !== PLAIN_COLUMN.active),
  ...named('cause ', CAUSE_COLUMN),
  ...named('dial ', DIAL_COLUMN),
  ...named('drop ', DROP_COLUMN),
  ...named('dry ', DRY_COLUMN),
  ...HISTOGRAMS.flatMap((name) => [
    ...BUCKET_COLUMNS[name].map((column, bucket): Named => {
      return [`${name} ${HISTOGRAM_BOUNDS_SECONDS[name][bucket] ?? 'more'}`, column];
    }),
    [`${name} micros`, SUM_COLUMN[name]] as const,
  ]),
]);

type Named = readonly [name: string, column: number];

const NAMES: readonly Named[] = [...COLUMN_BY_NAME];

/** By name what is not 0. */
export function namedCounts(values: Float64Array): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, column] of NAMES) {
    const value = values[column] ?? 0;
    if (value !== 0) counts[name] = value;
  }
  return counts;
}

/** What is not known is left out; null: they are no counts. */
export function countsNamed(counts: Readonly<Record<string, unknown>>): Float64Array | null {
  const values = new Float64Array(COLUMNS);
  for (const [name, value] of Object.entries(counts)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return null;
    const column = COLUMN_BY_NAME.get(name);
    if (column !== undefined) values[column] = value;
  }
  return values;
}

function named(kind: string, columns: Readonly<Record<string, number>>): Named[] {
  return Object.entries(columns).map(([name, column]) => [`${kind}${name}`, column]);
}
