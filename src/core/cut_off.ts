/**
 * Notifies an attempt that its time is over. It is the used part of the platform's AbortSignal,
 * which therefore is one, too. A CutOff does the same for a tenth of what an AbortController costs.
 */
export interface CutOffSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export class CutOff implements CutOffSignal {
  aborted = false;
  #listeners: (() => void)[] = [];

  /** Each listener is called at most once. */
  addEventListener(_: 'abort', listener: () => void): void {
    if (!this.aborted && !this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
