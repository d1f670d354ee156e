/**
 * Effective weights and caps: the configured ones, times the health share (a degraded backend),
 * times the slow start after a return. Written to the ledger when they change; ramps move by time.
 */
import type { BackendId } from '../core/brand.js';
import type { Ledger } from './ledger.js';
import { rampedCap, slowStartShare } from './slow_start.js';

/** What of a backend and its pool decides. */
export interface Weighed {
  readonly id: BackendId;
  readonly spec: { readonly weight: number; readonly maxConnections: number };
  readonly pool: { readonly spec: { readonly slowStartMs: number } };
}

interface Ramp {
  /** When the backend came back; null: it has not been away, so it serves in full. */
  returnedMs: number | null;
  /** What its probes say: 1 = whole, less = degraded. */
  share: number;
}

export class Weights {
  readonly #ledger: Ledger;
  /** Of the backends that were away or degraded: most never are. */
  readonly #ramps = new Map<BackendId, Ramp>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The backend is up again after it was down, drained or ejected: its ramp begins. */
  returned(backend: BackendId, nowMs: number): void {
    this.#ramp(backend).returnedMs = nowMs;
  }

  /** When the ramp began; null: there is none. */
  returnedMs(backend: BackendId): number | null {
    return this.#ramps.get(backend)?.returnedMs ?? null;
  }

  degraded(backend: BackendId, share: number): void {
    this.#ramp(backend).share = share;
  }

  share(backend: BackendId): number {
    return this.#ramps.get(backend)?.share ?? 1;
  }

  forget(backend: BackendId): void {
    this.#ramps.delete(backend);
  }

  /** Writes what holds at `nowMs`; true while the backend's ramp still moves. */
  write(entry: Weighed, nowMs: number): boolean {
    const ramp = this.#ramps.get(entry.id);
    const returnedMs = ramp?.returnedMs ?? null;
    const windowMs = entry.pool.spec.slowStartMs;
    const started = returnedMs === null ? 1 : slowStartShare(nowMs - returnedMs, windowMs);
    if (ramp !== undefined && started >= 1) ramp.returnedMs = null;
    this.#ledger.setWeight(entry.id, entry.spec.weight * (ramp?.share ?? 1) * started);
    const cap = entry.spec.maxConnections;
    this.#ledger.setCap(entry.id, cap === 0 ? 0 : rampedCap(cap, started));
    return started < 1;
  }

  #ramp(backend: BackendId): Ramp {
    const known = this.#ramps.get(backend);
    if (known !== undefined) return known;
    const fresh = { returnedMs: null, share: 1 };
    this.#ramps.set(backend, fresh);
    return fresh;
  }
}
