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

/** `"5 seconds"`, `1.5s`, `30`: what the file should have instead; null for anything else. */
export function guessDuration(value: unknown): string | null {
  const said = amountAndUnit(value, 's');
  const factor = said === null ? undefined : lookUp(EVERYDAY_DURATIONS, said.unit);
  return said === null || factor === undefined ? null : wholeDuration(said.amount * factor);
}

/** `64k`, `"1 MB"`, `512`: what the file should have instead; null for anything else. */
export function guessSize(value: unknown): string | null {
  const said = amountAndUnit(value, 'b');
  const unit = said === null ? undefined : lookUp(EVERYDAY_SIZES, said.unit);
  return said === null || unit === undefined || !Number.isInteger(said.amount)
    ? null
    : `${said.amount}${unit}`;
}

function wholeDuration(ms: number): string | null {
  return Number.isInteger(ms) && ms <= Number.MAX_SAFE_INTEGER ? formatDuration(ms) : null;
}

interface Said {
  readonly amount: number;
  /** In small letters. */
  readonly unit: string;
}

/** A bare number has the unit `usual`. */
function amountAndUnit(value: unknown, usual: string): Said | null {
  if (typeof value === 'number' && value >= 0) return { amount: value, unit: usual };
  if (typeof value !== 'string') return null;
  const match = /^([0-9]{1,12}(?:\.[0-9]{1,3})?)[ _]{0,3}([A-Za-z]{0,12})$/.exec(value.trim());
  if (match === null) return null;
  return { amount: Number(match[1]), unit: (match[2] || usual).toLowerCase() };
}

function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

const EVERYDAY_DURATIONS: Readonly<Record<string, number>> = {
  ...{ ms: 1, msec: 1, msecs: 1, millis: 1, millisecond: 1, milliseconds: 1 },
  ...{ s: 1_000, sec: 1_000, secs: 1_000, second: 1_000, seconds: 1_000 },
  ...{ m: 60_000, min: 60_000, mins: 60_000, minute: 60_000, minutes: 60_000 },
  ...{ h: 3_600_000, hr: 3_600_000, hrs: 3_600_000, hour: 3_600_000, hours: 3_600_000 },
  ...{ d: 86_400_000, day: 86_400_000, days: 86_400_000 },
};

const EVERYDAY_SIZES: Readonly<Record<string, string>> = {
  ...{ b: 'B', byte: 'B', bytes: 'B' },
  ...{ k: 'KiB', kb: 'KiB', kib: 'KiB' },
  ...{ m: 'MiB', mb: 'MiB', mib: 'MiB' },
  ...{ g: 'GiB', gb: 'GiB', gib: 'GiB' },
};
