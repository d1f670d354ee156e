/** From samples to figures: the median of a peer, and the ratio of two peers round by round. */
import { type Estimate, estimate } from '../support/statistics.js';
import type { CaseName } from './case_names.js';
import type { MeasureName } from './measures.js';
import type { PeerName } from './peers.js';
import type { Sample } from './sample.js';

export class Figures {
  readonly #byRound = new Map<string, Map<number, number>>();

  constructor(samples: readonly Sample[]) {
    for (const sample of samples) {
      for (const [measure, value] of Object.entries(sample.values)) {
        if (!Number.isFinite(value)) continue;
        const key = keyOf(sample.case, measure as MeasureName, sample.peer);
        const rounds = this.#byRound.get(key) ?? new Map<number, number>();
        rounds.set(sample.round, value);
        this.#byRound.set(key, rounds);
      }
    }
  }

  /** Of all rounds; null when there is none. */
  of(name: CaseName, measure: MeasureName, peer: PeerName): Estimate | null {
    const rounds = this.#byRound.get(keyOf(name, measure, peer));
    return rounds === undefined ? null : estimate([...rounds.values()]);
  }

  /** `subject` ÷ `peer`, paired within each round that both have. */
  ratio(name: CaseName, measure: MeasureName, subject: PeerName, peer: PeerName): Estimate | null {
    const ours = this.#byRound.get(keyOf(name, measure, subject));
    const theirs = this.#byRound.get(keyOf(name, measure, peer));
    if (ours === undefined || theirs === undefined) return null;
    const ratios = [...ours].flatMap(([round, value]) => {
      const other = theirs.get(round);
      return other === undefined || other === 0 ? [] : [value / other];
    });
    return ratios.length === 0 ? null : estimate(ratios);
  }
}

function keyOf(name: CaseName, measure: MeasureName, peer: PeerName): string {
  return `${name} ${measure} ${peer}`;
}
