/**
 * Signals from the first moment on: one that comes before there is a daemon is kept for it. One
 * that stops ends the process at once then, since no client is served yet.
 */
import { type DaemonSignal, onSignals, type SignalEffect } from '../system/signals.js';

type Handler = (signal: DaemonSignal, effect: SignalEffect) => void;

export class SignalInbox {
  #handler: Handler | null = null;
  /** At most one of each. */
  readonly #early = new Map<DaemonSignal, SignalEffect>();

  /** `stop` is called at a signal that stops, until the inbox has been taken over. */
  constructor(stop: () => void) {
    onSignals((signal, effect) => {
      if (this.#handler !== null) this.#handler(signal, effect);
      else if (effect === 'stop') stop();
      else this.#early.set(signal, effect);
    });
  }

  /** From now on `handler` gets every signal, those that came before too. */
  open(handler: Handler): void {
    this.#handler = handler;
    for (const [signal, effect] of this.#early) handler(signal, effect);
    this.#early.clear();
  }
}
