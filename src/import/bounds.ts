/** Durations and numbers within the bounds of their keys: what lies outside is said. */
import { formatDuration } from '../config/quantity.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In milliseconds, as the schema has them; every output is checked against that. */
const DURATIONS = {
  idle_timeout: [10, 365 * DAY],
  connect_timeout: [10, 10 * MINUTE],
  queue_timeout: [10, HOUR],
  slow_start: [10, DAY],
  shutdown_timeout: [10, 7 * DAY],
  hello_timeout: [10, MINUTE],
  interval: [10, DAY],
  fast_interval: [10, DAY],
  down_interval: [10, DAY],
  timeout: [10, 5 * MINUTE],
  outlier_interval: [100, HOUR],
  base_ejection: [100, DAY],
} as const;

const NUMBERS = {
  max_sessions: [0, 10_000_000],
  max_connections: [0, 10_000_000],
  weight: [0, 1_000],
  retries: [0, 100],
  fall: [1, 100],
  rise: [1, 100],
  backlog: [1, 1_048_576],
  queue_size: [0, 1_000_000],
  workers: [1, 64],
  consecutive_failures: [1, 10_000],
  udp_responses: [0, 1_000_000],
  port: [1, 65_535],
} as const;

export interface Fitted<T> {
  readonly value: T;
  /** Undefined: it fits as it is. */
  readonly how: string | undefined;
}

/** The longest time that a session may be idle: as good as none. */
export const FOREVER = '365d';

export function fittedDuration(key: keyof typeof DURATIONS, ms: number): Fitted<string> {
  const [min, max] = DURATIONS[key];
  const value = formatDuration(Math.min(max, Math.max(min, Math.round(ms))));
  if (ms < min) return { value, how: `${value} is the shortest` };
  return { value, how: ms > max ? `${value} is the longest` : undefined };
}

export function fittedNumber(key: keyof typeof NUMBERS, wanted: number): Fitted<number> {
  const [min, max] = NUMBERS[key];
  const value = Math.min(max, Math.max(min, wanted));
  if (wanted < min) return { value, how: `${value} is the least` };
  return { value, how: wanted > max ? `${value} is the most` : undefined };
}

/** A whole number of up to 15 digits; null for anything else. */
export function wholeNumber(text: string): number | null {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}

/** Several remarks on one value; undefined when there is none. */
export function together(...hows: readonly (string | undefined)[]): string | undefined {
  const said = hows.filter((how) => how !== undefined);
  return said.length === 0 ? undefined : said.join('; ');
}
