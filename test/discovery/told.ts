/** A witness with rules, what probes have found, and its answers so far. */
import type { WitnessRules } from '../../src/core/discovery_spec.js';
import type { Proof } from '../../src/core/proof.js';
import { Witness } from '../../src/discovery/witness.js';
import { answer } from './members.js';

export const RULES: WitnessRules = {
  holdMs: 30_000,
  confirmMs: 10_000,
  maxRemovedPercent: 50,
  whenEmpty: 'keep',
  limit: 20,
};

export type Proofs = (letter: string) => Proof;
export const well: Proofs = () => 'serves';
/** No member is held, and every member counts. */
export const unprobed: Proofs = () => 'unprobed';

export function witness(rules: Partial<WitnessRules> = {}, proofs = well): Witness {
  return new Witness({ ...RULES, ...rules }, ({ name }) => proofs(name ?? ''));
}

/** One that got `named` at 0. */
export function told(named: string, rules: Partial<WitnessRules> = {}, proofs = well): Witness {
  const one = witness(rules, proofs);
  one.hear(answer(named), 0);
  return one;
}

/** What probes have found until now; the others are well. */
export class Probed {
  readonly #found = new Map<string, Proof>();

  /** `b: 'down'` */
  set(found: Readonly<Record<string, Proof>>): void {
    for (const [letter, proof] of Object.entries(found)) this.#found.set(letter, proof);
  }

  get of(): Proofs {
    return (letter) => this.#found.get(letter) ?? 'serves';
  }
}
