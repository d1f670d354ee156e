/** The candidates of one tier, kept up to date by the pool or a simulation, and their chooser. */
import type { Random } from '../core/random.js';
import { MemberSet } from './member_set.js';
import type { Candidates, Chooser, Figures, Policy, PolicyExplanation } from './policy.js';

export class CandidateSet implements Candidates {
  readonly #figures: Figures;
  readonly #members: MemberSet;
  /** By member; where it is no candidate now, the weight that it had last. */
  readonly #weights: Float64Array;
  #chooser: Chooser | null = null;

  /** `members`: of the pool, candidates or not. */
  constructor(members: number, figures: Figures) {
    this.#figures = figures;
    this.#members = new MemberSet(members);
    this.#weights = new Float64Array(members);
  }

  /** Members that may ever be candidates. */
  get capacity(): number {
    return this.#weights.length;
  }

  // ---- what a chooser sees ----

  get count(): number {
    return this.#members.size;
  }
  get nowMs(): number {
    return this.#figures.nowMs;
  }
  at(position: number): number {
    return this.#members.at(position);
  }
  has(member: number): boolean {
    return this.#members.has(member);
  }
  weightOf(member: number): number {
    return this.#weights[member] ?? 0;
  }
  activeOf(member: number): number {
    return this.#figures.activeOf(member);
  }
  latencyMsOf(member: number): number {
    return this.#figures.latencyMsOf(member);
  }
  failureRateOf(member: number): number {
    return this.#figures.failureRateOf(member);
  }

  // ---- choices ----

  /** Chooses by `policy` from now on. What is in the set already is laid out at once. */
  chooseBy(policy: Policy): void {
    this.#chooser = policy.over(this);
  }

  choose(clientKey: Uint8Array, random: Random): number {
    return this.#chooser?.choose(clientKey, random) ?? -1;
  }

  /** Of a set that is not empty. */
  explain(clientKey: Uint8Array, random: Random): PolicyExplanation {
    return this.#chooser?.explain(clientKey, random) ?? { member: -1, sentence: '' };
  }

  scoreOf(member: number): number | null {
    return this.#chooser?.scoreOf(member) ?? null;
  }

  // ---- changes ----

  /** `member` is a candidate, of this weight. */
  put(member: number, weight: number): void {
    const isNew = !this.#members.has(member);
    if (!isNew && this.#weights[member] === weight) return;
    this.#weights[member] = weight;
    this.#members.add(member);
    if (isNew) this.#chooser?.added(member);
    else this.#chooser?.weighed(member);
  }

  remove(member: number): void {
    if (!this.#members.has(member)) return;
    this.#members.remove(member);
    this.#chooser?.removed(member);
  }

  counted(member: number): void {
    if (this.#members.has(member)) this.#chooser?.counted(member);
  }

  measured(member: number): void {
    if (this.#members.has(member)) this.#chooser?.measured(member);
  }
}
