/** Durations and sizes as a file has them: a whole number with its unit, `250ms` or `64KiB`. */

const MS_BY_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_BY_UNIT = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

/** What an editor may check before sluice does. */
export const DURATION_PATTERN = '^[0-9]+(ms|s|m|h|d)$';
export const SIZE_PATTERN = '^[0-9]+(B|KiB|MiB|GiB)$';

/** Milliseconds of `250ms`, `5s`, `1m`, `1h` or `1d`; null when `text` is none of these. */
export function parseDuration(text: string): number | null {
  return parseQuantity(text, MS_BY_UNIT);
}

/** Bytes of `16B`, `64KiB`, `1MiB` or `1GiB`; null when `text` is none of these. */
export function parseSize(text: string): number | null {
  return parseQuantity(text, BYTES_BY_UNIT);
}

/** The shortest text that `parseDuration` reads as `ms` (a whole number, 0 or more). */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const units = Object.entries(MS_BY_UNIT).reverse();
  const unit = units.find(([, factor]) => ms % factor === 0) ?? ['ms', 1];
  return `${ms / unit[1]}${unit[0]}`;
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^([0-9]{1,15})([A-Za-z]{1,3})$/.exec(text);
  const factor = Object.entries(units).find(([unit]) => unit === match?.[2])?.[1];
  if (match === null || factor === undefined) return null;
  return Number(match[1]) * factor;
}
