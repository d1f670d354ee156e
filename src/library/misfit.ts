/** What a caller gives and cannot be used, said as the reference says it. */
import { isRecord } from '../core/unknown.js';
import { OptionsError } from './errors.js';

/** `key: problem (expected …; got …)` */
export function misfit(key: string, problem: string, expected: string, got: unknown): OptionsError {
  return new OptionsError([`${key}: ${problem} (expected ${expected}; got ${shown(got)})`]);
}

/** `options`, an object which has no other keys than these; null: there are none. */
export function known<O extends object>(
  options: O | null | undefined,
  keys: ReadonlySet<string>,
  called = 'options',
): O | null {
  if (options === undefined || options === null) return null;
  if (!isRecord(options)) throw misfit(called, 'wrong type', 'an object', options);
  for (const key in options) {
    if (keys.has(key)) continue;
    const path = called === 'options' ? key : `${called}.${key}`;
    const expected = `one of: ${[...keys].join(', ')}`;
    throw new OptionsError([`${path}: unknown option (expected ${expected}; got "${key}")`]);
  }
  return options;
}

export function wholeBetween(key: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value);
  throw misfit(key, 'out of range', `a whole number from ${min} to ${max}`, value);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
