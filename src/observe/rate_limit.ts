/**
 * A limit on repeated log lines, per window and key; the rest is counted. The keys are names of
 * events and causes, so the table is bounded by the catalogue.
 */
export type LinePermit =
  /** Write it; `suppressed` lines of the same key were left out before it. */
  { readonly kind: 'write'; readonly suppressed: number } | { readonly kind: 'suppress' };

interface Window {
  startedMs: number;
  written: number;
  suppressed: number;
}

export class RateLimit {
  readonly #lines: number;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  /** At most `lines` (1 or more) in each window of `windowMs`. */
  constructor(lines: number, windowMs: number) {
    this.#lines = lines;
    this.#windowMs = windowMs;
  }

  /** Decides about one line; `nowMs` is monotonic. */
  admit(key: string, nowMs: number): LinePermit {
    const window = this.#windows.get(key) ?? { startedMs: nowMs, written: 0, suppressed: 0 };
    this.#windows.set(key, window);
    if (nowMs - window.startedMs >= this.#windowMs) {
      window.startedMs = nowMs;
      window.written = 0;
    }
    if (window.written >= this.#lines) {
      window.suppressed++;
      return { kind: 'suppress' };
    }
    window.written++;
    const { suppressed } = window;
    window.suppressed = 0;
    return { kind: 'write', suppressed };
  }
}
