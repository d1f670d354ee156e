/** What backends took, for `latencyFactor`: a histogram a backend, compared window by window. */
import type { BackendId } from '../core/brand.js';
import { HISTOGRAM_BOUNDS_SECONDS } from '../core/series_layout.js';
import { type LatencySample, latencyOf } from '../pool/latency_window.js';

const BOUNDS = HISTOGRAM_BOUNDS_SECONDS.firstByte;

export class Latencies {
  readonly #counts = new Map<BackendId, number[]>();

  observe(backend: BackendId, tookMs: number): void {
    const counts = this.#of(backend);
    const found = BOUNDS.findIndex((bound) => tookMs <= bound * 1000);
    const bucket = found === -1 ? BOUNDS.length : found;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }

  /** The median of the window that ends now; the next one begins. */
  take(backend: BackendId): LatencySample | null {
    const counts = this.#of(backend);
    const sample = latencyOf(counts, BOUNDS);
    counts.fill(0);
    return sample;
  }

  forget(backend: BackendId): void {
    this.#counts.delete(backend);
  }

  #of(backend: BackendId): number[] {
    const known = this.#counts.get(backend);
    if (known !== undefined) return known;
    const fresh = Array.from({ length: BOUNDS.length + 1 }, () => 0);
    this.#counts.set(backend, fresh);
    return fresh;
  }
}
