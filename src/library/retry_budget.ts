/**
 * The retry budget: tries after a failed request are at most 20 % of the requests of the last 10 s,
 * and at least 3 per second. When most requests fail, retries of all of them would multiply the
 * load of what is left (Finagle's RetryBudget has the same figures). Pure; times are milliseconds.
 */
const SHARE = 0.2;
const MIN_PER_SECOND = 3;
const SLOT_MS = 100;
/** Of 10 s, and of the second that the minimum is for. */
const SLOTS = 100;
const SLOTS_PER_SECOND = 10;

export class RetryBudget {
  readonly #requests = new Int32Array(SLOTS);
  readonly #retries = new Int32Array(SLOTS);
  #requestSum = 0;
  #retrySum = 0;
  /** The present slot, counted from time 0. */
  #now = 0;

  /** A request begins. */
  request(nowMs: number): void {
    const slot = this.#moveTo(nowMs);
    this.#requests[slot] = (this.#requests[slot] ?? 0) + 1;
    this.#requestSum++;
  }

  /** One more try: true where the budget has room for it, which it takes. */
  tryRetry(nowMs: number): boolean {
    const slot = this.#moveTo(nowMs);
    if (this.#retrySum >= SHARE * this.#requestSum && this.#lastSecond() >= MIN_PER_SECOND) {
      return false;
    }
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1;
    this.#retrySum++;
    return true;
  }

  #lastSecond(): number {
    let sum = 0;
    for (let back = 0; back < SLOTS_PER_SECOND; back++) {
      sum += this.#retries[(this.#now - back + SLOTS) % SLOTS] ?? 0;
    }
    return sum;
  }

  /** Forgets what is older than 10 s; answers the slot of `nowMs`. */
  #moveTo(nowMs: number): number {
    const now = Math.floor(nowMs / SLOT_MS);
    const steps = Math.min(now - this.#now, SLOTS);
    for (let step = steps - 1; step >= 0; step--) {
      const slot = (now - step) % SLOTS;
      this.#requestSum -= this.#requests[slot] ?? 0;
      this.#retrySum -= this.#retries[slot] ?? 0;
      this.#requests[slot] = 0;
      this.#retries[slot] = 0;
    }
    if (steps > 0) this.#now = now;
    return this.#now % SLOTS;
  }
}
