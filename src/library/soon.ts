/** What is done once, soon, however often it is asked for: outside of what has asked. */

export class Soon {
  readonly #act: () => void;
  #state: 'idle' | 'due' = 'idle';

  constructor(act: () => void) {
    this.#act = act;
  }

  ask(): void {
    if (this.#state === 'due') return;
    this.#state = 'due';
    queueMicrotask(() => {
      this.#state = 'idle';
      this.#act();
    });
  }
}
