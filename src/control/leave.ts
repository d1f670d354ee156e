/**
 * The way out of a daemon that serves: at the first signal to stop readiness fails, and clients are
 * still accepted for `leave_delay`, while the balancer in front notices and sends them elsewhere.
 * Then the stop begins. A signal meanwhile ends the delay; without a delay there is none.
 */
import { unreachable } from '../core/assert.js';
import type { Timer, Timers } from '../core/clock.js';
import type { DaemonSignal } from '../system/signals.js';

export interface LeaveDeps {
  readonly timers: Timers;
  /** Asked at the first signal; 0 also while there is nothing to announce. */
  readonly delayMs: () => number;
  readonly leaving: (signal: DaemonSignal, delayMs: number) => void;
  /** Accepting ends; called again for each further signal. */
  readonly stop: (signal: DaemonSignal) => void;
}

type State =
  | { readonly at: 'staying' }
  | { readonly at: 'leaving'; readonly timer: Timer }
  | { readonly at: 'stopping' };

export class Leave {
  readonly #deps: LeaveDeps;
  #state: State = { at: 'staying' };

  constructor(deps: LeaveDeps) {
    this.#deps = deps;
  }

  /** A signal to stop. */
  signal(signal: DaemonSignal): void {
    const state = this.#state;
    switch (state.at) {
      case 'staying': {
        const delayMs = this.#deps.delayMs();
        return delayMs === 0 ? this.#stop(signal) : this.#leave(signal, delayMs);
      }
      case 'leaving':
        state.timer.cancel();
        return this.#stop(signal);
      case 'stopping':
        return this.#deps.stop(signal);
      default:
        return unreachable(state);
    }
  }

  #leave(signal: DaemonSignal, delayMs: number): void {
    const timer = this.#deps.timers.after(delayMs, () => this.#stop(signal));
    this.#state = { at: 'leaving', timer };
    this.#deps.leaving(signal, delayMs);
  }

  #stop(signal: DaemonSignal): void {
    this.#state = { at: 'stopping' };
    this.#deps.stop(signal);
  }
}
