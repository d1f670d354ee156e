/**
 * The columns of a row of counters: what they are called, and in which order they stand. Of
 * thousands of rows each line that a session touches is a miss of the caches, and each page one of
 * the processor's table of pages. So what an ordinary short session counts stands in two lines or
 * three, apart from everything else.
 */
import { present } from './assert.js';
import {
  CAUSES,
  type Cause,
  DATAGRAM_DROPS,
  type DatagramDrop,
  DIAL_FAILURES,
  type DialFailure,
  DRY_REFUSALS,
  type DryRefusal,
} from './outcome.js';

/** Upper bounds in seconds; a last bucket without a bound follows. */
export const HISTOGRAM_BOUNDS_SECONDS = {
  connect: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  firstByte: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
  session: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
  queue: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  rtt: [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  ],
  /** Not seconds: segments. */
  retransmits: [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
} as const;
export type HistogramName = keyof typeof HISTOGRAM_BOUNDS_SECONDS;

export const MICROS_PER_SECOND = 1_000_000;

/** Columns that count single things. */
const PLAIN = [
  'accepted',
  'active',
  'bytesIn',
  'bytesOut',
  'datagramsIn',
  'datagramsOut',
  'retries',
  'uncounted',
] as const;
export type PlainColumn = (typeof PLAIN)[number];

export const HISTOGRAMS = Object.keys(HISTOGRAM_BOUNDS_SECONDS) as readonly HistogramName[];

/** Three lines of eight, by `keysOf`. */
const NEAR = [
  ...['active', 'bytesIn', 'bytesOut'].map((name) => `plain ${name}`),
  ...['connect', 'firstByte', 'session'].map((name) => `sum ${name}`),
  ...['finished', 'client-reset'].map((name) => `cause ${name}`),
  // Of a session that is over within 5 ms, by the places of its bounds above.
  ...[0, 1, 2, 3].map((bucket) => `connect ${bucket}`),
  ...['firstByte 0', 'firstByte 1', 'session 0', 'session 1'],
  // Of one that takes longer.
  ...[4, 5, 6].map((bucket) => `connect ${bucket}`),
  ...['firstByte 2', 'firstByte 3', 'firstByte 4', 'session 2', 'session 3'],
];
/** How many columns stand together, from the first one on. */
export const NEAR_COLUMNS = NEAR.length;

const PLACES: ReadonlyMap<string, number> = new Map(
  [
    ...new Set([
      ...NEAR,
      ...keysOf('plain', PLAIN),
      ...keysOf('sum', HISTOGRAMS),
      ...keysOf('cause', CAUSES),
      ...keysOf('dial', DIAL_FAILURES),
      ...keysOf('drop', DATAGRAM_DROPS),
      ...keysOf('dry', DRY_REFUSALS),
      ...HISTOGRAMS.flatMap((name) => keysOf(name, bucketsOf(name))),
    ]),
  ].map((key, place) => [key, place]),
);
/** Of one row. */
export const COLUMNS = PLACES.size;

/** Where a value stands in a row; look one up once and keep it where speed matters. */
export const PLAIN_COLUMN = columns<PlainColumn>('plain', PLAIN);
export const CAUSE_COLUMN = columns<Cause>('cause', CAUSES);
export const DIAL_COLUMN = columns<DialFailure>('dial', DIAL_FAILURES);
export const DROP_COLUMN = columns<DatagramDrop>('drop', DATAGRAM_DROPS);
export const DRY_COLUMN = columns<DryRefusal>('dry', DRY_REFUSALS);
/** The sums of what was observed, in microseconds. */
export const SUM_COLUMN = columns<HistogramName>('sum', HISTOGRAMS);
/** By bucket; the last one has no bound. */
export const BUCKET_COLUMNS = byName<HistogramName, readonly number[]>(HISTOGRAMS, (name) =>
  keysOf(name, bucketsOf(name)).map(placeOf),
);

function bucketsOf(name: HistogramName): readonly number[] {
  return Array.from({ length: HISTOGRAM_BOUNDS_SECONDS[name].length + 1 }, (_, bucket) => bucket);
}

function keysOf(kind: string, names: readonly (string | number)[]): readonly string[] {
  return names.map((name) => `${kind} ${name}`);
}

function placeOf(key: string): number {
  return present(PLACES.get(key), 'every column has its place');
}

function columns<Name extends string>(
  kind: string,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  return byName(names, (name) => placeOf(`${kind} ${name}`));
}

function byName<Name extends string, Value>(
  names: readonly Name[],
  makeOf: (name: Name) => Value,
): Readonly<Record<Name, Value>> {
  const values: Readonly<Record<string, Value>> = Object.fromEntries(
    names.map((name) => [name, makeOf(name)]),
  );
  return values as Readonly<Record<Name, Value>>;
}
