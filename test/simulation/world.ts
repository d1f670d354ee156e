/** What is outside of sluice: backends that serve, refuse, hang or degrade, and their probes. */
import type { Timers } from '../../src/core/clock.js';
import { formatAddress } from '../../src/core/endpoint.js';
import { below, type Random } from '../../src/core/random.js';
import type { Probe, ProbeResult } from '../../src/health/probe.js';
import { isEmptyPlace } from './sim_sources.js';

export type BackendMood = 'serving' | 'degraded' | 'refusing' | 'silent';

const MOODS: readonly BackendMood[] = ['serving', 'degraded', 'refusing', 'silent'];

export class World {
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #moods = new Map<string, BackendMood>();

  constructor(timers: Timers, random: Random) {
    this.#timers = timers;
    this.#random = random;
  }

  /** Of the backend at `address`, as text. */
  mood(address: string): BackendMood {
    return this.#moods.get(address) ?? (isEmptyPlace(address) ? 'refusing' : 'serving');
  }

  /** Three of four changes are for the better, so that most backends serve most of the time. */
  change(address: string): void {
    if (isEmptyPlace(address)) return;
    const mood = below(this.#random, 4) === 0 ? below(this.#random, MOODS.length) : 0;
    this.#moods.set(address, MOODS[mood] ?? 'serving');
  }

  heal(): void {
    this.#moods.clear();
  }

  probe(): Probe {
    return {
      attempt: ({ endpoint }, signal) =>
        new Promise((resolve) => {
          const mood = this.mood(formatAddress(endpoint));
          if (mood !== 'silent') {
            this.#timers.after(below(this.#random, 30), () => resolve(ANSWER[mood]));
          }
          signal.addEventListener('abort', () => resolve(ANSWER.silent));
        }),
    };
  }
}

const ANSWER: Readonly<Record<BackendMood, ProbeResult>> = {
  serving: { ok: true, share: 1, note: '' },
  degraded: { ok: true, share: 0.5, note: '' },
  refusing: { ok: false, failure: 'refused', detail: '' },
  silent: { ok: false, failure: 'timeout', detail: '' },
};
