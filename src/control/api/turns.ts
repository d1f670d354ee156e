/**
 * The turn of each who asks: one after the other, in the order in which they came, and between two
 * of them everything else of the thread has its turn. So however much is asked of the API at once,
 * probes, `/healthz` and signals wait for one answer at most.
 */
export class ApiTurns {
  readonly #waiting: (() => void)[] = [];
  readonly #later: (task: () => void) => void;

  /** `later` runs a task when what has happened meanwhile has been dealt with. */
  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  /** Resolves when it is the caller's turn; what it does then must be over when it awaits. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#later(() => this.#goOn());
    });
  }

  #goOn(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#later(() => this.#goOn());
  }
}
