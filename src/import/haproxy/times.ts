/** Times of HAProxy in milliseconds: a whole number with a unit. */

const MS_BY_UNIT: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A bare number has `unit`; null for what is no time. */
export function haproxyMs(text: string, unit: 'ms' | 's' = 'ms'): number | null {
  const match = /^([0-9]{1,12})(us|ms|s|m|h|d)?$/.exec(text);
  const factor = MS_BY_UNIT[match?.[2] ?? unit];
  return match === null || factor === undefined ? null : Number(match[1]) * factor;
}
