/**
 * Overrides as the text of a file. A record of the text that does not fit is left out, and
 * reported: one record that makes no sense must not take the others with it. Pure.
 */

import { readBlock } from '../../core/address_text.js';
import { OVERRIDE_KINDS } from '../../core/deviation.js';
import { LOG_LEVELS } from '../../core/spec.js';
import { isRecord } from '../../core/unknown.js';
import { holdBy, type Override, PERCENTAGE } from './override.js';

const VERSION = 1;
/** Twice as many as backends can have at once. */
export const MAX_OVERRIDES = 32_768;

export interface OverridesRead {
  readonly overrides: readonly Override[];
  /** What could not be understood, a sentence each. */
  readonly problems: readonly string[];
}

export function keptText(overrides: readonly Override[]): string {
  const lines = overrides.map((one) => `  ${JSON.stringify(toRecord(one))}`);
  const list = lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n]`;
  return `{ "version": ${VERSION}, "overrides": ${list} }\n`;
}

/** Reads what `keptText` wrote; null: it is no such text at all. */
export function readKept(text: string): OverridesRead | null {
  const all = parse(text);
  if (!isRecord(all) || all['version'] !== VERSION || !Array.isArray(all['overrides'])) return null;
  const overrides: Override[] = [];
  const problems: string[] = [];
  for (const raw of all['overrides'].slice(0, MAX_OVERRIDES)) {
    const override = fromRecord(raw);
    if (override !== null) overrides.push(override);
    else problems.push(`this is no override: ${JSON.stringify(raw).slice(0, 200)}`);
  }
  return { overrides, problems };
}

function toRecord({ sinceWallMs, untilWallMs, ...rest }: Override): object {
  return { ...rest, since: timeText(sinceWallMs), until: timeText(untilWallMs) };
}

function fromRecord(raw: unknown): Override | null {
  if (!isRecord(raw)) return null;
  const { pool, backend, kind, value, replaced, by, because, since, until } = raw;
  const known = OVERRIDE_KINDS.find((one) => one === kind);
  const sinceWallMs = timeOf(since);
  const untilWallMs = until === null ? null : timeOf(until);
  const texts = [pool, backend, by, because];
  if (known === undefined || sinceWallMs === undefined || untilWallMs === undefined) return null;
  if (!texts.every((one) => typeof one === 'string')) return null;
  if (!isValue(known, value) || !isConfigured(replaced)) return null;
  return {
    pool: String(pool),
    backend: String(backend),
    kind: known,
    value,
    replaced,
    by: String(by),
    because: String(because),
    sinceWallMs,
    untilWallMs,
  };
}

function isValue(kind: Override['kind'], value: unknown): value is string | number {
  switch (kind) {
    case 'drain':
      return value === 'drained';
    case 'maintain':
      return value === 'maintenance';
    case 'weight':
      return typeof value === 'string' ? PERCENTAGE.test(value) : isCount(value, 1_000);
    case 'cap':
      return isCount(value, 0x7fff_ffff);
    case 'hold':
      return isConfigured(value) && holdBy(value) !== null;
    case 'deny':
      return typeof value === 'string' && readBlock(value).ok;
    case 'log-level':
      return LOG_LEVELS.some((level) => level === value);
  }
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

function isConfigured(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function timeText(wallMs: number | null): string | null {
  return wallMs === null ? null : new Date(wallMs).toISOString();
}

/** undefined: it is no time. */
function timeOf(text: unknown): number | undefined {
  const wallMs = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isFinite(wallMs) ? wallMs : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
