/**
 * When clients arrive, and for how long: drawn from distributions, or recorded. In columns, by
 * time.
 */
import { below, type Random } from '../../core/random.js';
import { type Distribution, sample } from './distribution.js';

export interface Arrivals {
  readonly count: number;
  /** Ascending, from 0. */
  readonly atMs: Float64Array;
  /** What a session takes on a backend of speed 1 that does nothing else. */
  readonly workMs: Float64Array;
  /** Indices into `clients`. */
  readonly client: Uint32Array;
  /** Address bytes. */
  readonly clients: readonly Uint8Array[];
}

/**
 * A limit on memory (16 bytes each here, 24 more in a run) and time (about a microsecond each and
 * policy).
 */
export const MAX_ARRIVALS = 5_000_000;

export interface ArrivalSpec {
  /** Sessions per second, on average: a Poisson process. */
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly work: Distribution;
  readonly meanWorkMs: number;
  /** Distinct IPv4 addresses that sessions come from, all alike. */
  readonly clients: number;
}

/** Draws sessions for `durationMs`, MAX_ARRIVALS at most. */
export function drawArrivals(spec: ArrivalSpec, random: Random): Arrivals {
  const at: number[] = [];
  const meanGapMs = 1000 / spec.ratePerSecond;
  let nowMs = sample('exponential', meanGapMs, random);
  while (nowMs < spec.durationMs && at.length < MAX_ARRIVALS) {
    at.push(nowMs);
    nowMs += sample('exponential', meanGapMs, random);
  }
  return {
    count: at.length,
    atMs: Float64Array.from(at),
    workMs: Float64Array.from(at, () => sample(spec.work, spec.meanWorkMs, random)),
    client: Uint32Array.from(at, () => below(random, spec.clients)),
    clients: Array.from({ length: spec.clients }, (_, number) => numberedClient(number)),
  };
}

/** 10.0.0.0/8, one after the other. */
export function numberedClient(number: number): Uint8Array {
  return Uint8Array.of(10, number >>> 16, number >>> 8, number);
}
