/**
 * What `pick`, `connect` and `execute` are asked with, read before anything is reserved: what is
 * not usable is an OptionsError, and no failure of a backend. null says as much as nothing.
 */
import { parseDuration } from '../config/quantity.js';
import { clientKeyOf, type Key, mustBeKey } from './client_key.js';
import type { ConnectOptions, ExecuteOptions, PickOptions } from './execute_options.js';
import { known, misfit } from './misfit.js';
import type { Duration } from './options.js';

export interface ReadConnect {
  readonly clientKey: Uint8Array;
  readonly signal: AbortSignal | undefined;
  /** null: as the balancer has it. */
  readonly retries: number | null;
}

export interface ReadExecute extends ReadConnect {
  readonly retryIf: ExecuteOptions['retryIf'];
  /** null: no limit. */
  readonly timeoutMs: number | null;
  readonly tryTimeoutMs: number | null;
  /** null: off. */
  readonly hedgePercentile: number | null;
}

const USUAL_PERCENTILE = 95;
const MAX_RETRIES = 100;
const DURATIONS = 'as "250ms" or in milliseconds';

const PICK: ReadonlySet<string> = new Set<keyof PickOptions>(['key']);
const CONNECT: ReadonlySet<string> = new Set<keyof ConnectOptions>(['key', 'signal', 'retries']);
const EXECUTE: ReadonlySet<string> = new Set<keyof ExecuteOptions>([
  'key',
  'signal',
  'retries',
  'retryIf',
  'timeout',
  'tryTimeout',
  'hedge',
]);

/** The key by which `source-hash` chooses. */
export function readPick(options: PickOptions | undefined): Uint8Array {
  const given = known(options, PICK);
  return readKey(given?.key);
}

export function readConnect(options: ConnectOptions | undefined): ReadConnect {
  return connectPart(known(options, CONNECT));
}

export function readExecute(options: ExecuteOptions | undefined): ReadExecute {
  const given = known(options, EXECUTE);
  const retryIf = given?.retryIf ?? undefined;
  if (retryIf !== undefined && typeof retryIf !== 'function') {
    throw misfit('retryIf', 'wrong type', 'a function', retryIf);
  }
  // No spread: it costs three times as much as the rest of a request.
  const { clientKey, signal, retries } = connectPart(given);
  return {
    clientKey,
    signal,
    retries,
    retryIf,
    timeoutMs: durationMs('timeout', given?.timeout),
    tryTimeoutMs: durationMs('tryTimeout', given?.tryTimeout),
    hedgePercentile: percentileOf(given?.hedge),
  };
}

export function mustBeCallback(callback: unknown): void {
  if (typeof callback !== 'function') {
    throw misfit('callback', 'wrong type', 'a function of the backend', callback);
  }
}

/** Milliseconds of `value`; null where it is absent. */
export function durationMs(key: string, value: Duration | null | undefined): number | null {
  const ms = durationOrZeroMs(key, value);
  if (ms !== 0) return ms;
  throw misfit(key, 'not a duration', `a duration above 0, ${DURATIONS}`, value);
}

/** The same where 0 means at once. */
export function durationOrZeroMs(key: string, value: Duration | null | undefined): number | null {
  if (value === undefined || value === null) return null;
  const ms = typeof value === 'string' ? parseDuration(value) : value;
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return ms;
  throw misfit(key, 'not a duration', `a duration, ${DURATIONS}`, value);
}

function connectPart(given: ConnectOptions | null): ReadConnect {
  const retries = given?.retries ?? null;
  const isCount = Number.isInteger(retries) && Number(retries) >= 0;
  if (retries !== null && (!isCount || retries > MAX_RETRIES)) {
    throw misfit('retries', 'out of range', `a whole number from 0 to ${MAX_RETRIES}`, retries);
  }
  const signal = given?.signal ?? undefined;
  if (signal !== undefined && !isSignal(signal)) {
    throw misfit('signal', 'wrong type', 'an AbortSignal', signal);
  }
  return { clientKey: readKey(given?.key), signal, retries };
}

/** By what it can do: another realm, as that of a test runner, has a class of its own. */
function isSignal(signal: unknown): boolean {
  if (typeof signal !== 'object' || signal === null) return false;
  return 'aborted' in signal && 'addEventListener' in signal && 'throwIfAborted' in signal;
}

function readKey(key: Key | null | undefined): Uint8Array {
  return clientKeyOf(key === undefined || key === null ? undefined : mustBeKey(key));
}

function percentileOf(hedge: ExecuteOptions['hedge'] | null): number | null {
  if (hedge === undefined || hedge === null || hedge === false) return null;
  if (hedge === true) return USUAL_PERCENTILE;
  if (typeof hedge !== 'object') {
    throw misfit('hedge', 'wrong type', 'true, false or { percentile }', hedge);
  }
  const percentile: unknown = hedge.percentile ?? USUAL_PERCENTILE;
  if (typeof percentile === 'number' && percentile > 0 && percentile < 100) return percentile;
  throw misfit('hedge.percentile', 'out of range', 'a number between 0 and 100', percentile);
}
