/** A line of the exposition, and the lines of one histogram. */

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  /** Labels that many samples have in common, formatted once an object. */
  readonly sharedLabels?: Labels;
  /** Where it is not the metric's own: a histogram's `_bucket`, `_sum` and `_count`. */
  readonly metricName?: string;
}

export const NO_LABELS: Labels = {};

export type Les = readonly Labels[];

/** The labels of the buckets below `bounds`, and of the last one. */
export function lesOf(bounds: readonly number[]): Les {
  return [...bounds, '+Inf'].map((le) => ({ le }));
}

/** Cumulative buckets, sum and count, as Prometheus wants them; `counts` has them apart. */
export function bucketSamples(
  metric: string,
  les: Les,
  counts: Float64Array,
  sum: number,
  sharedLabels: Labels,
): Sample[] {
  let count = 0;
  const buckets = les.map((labels, index) => {
    count += counts[index] ?? 0;
    return { value: count, labels, sharedLabels, metricName: `${metric}_bucket` };
  });
  if (count === 0) return [];
  return [
    ...buckets,
    { value: sum, labels: NO_LABELS, sharedLabels, metricName: `${metric}_sum` },
    { value: count, labels: NO_LABELS, sharedLabels, metricName: `${metric}_count` },
  ];
}
