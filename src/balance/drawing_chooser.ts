/** What choosers share that draw by weight and look at the candidates that they have drawn only. */
import type { Random } from '../core/random.js';
import type { Candidates, Chooser, PolicyExplanation } from './policy.js';
import { WeightedDraw } from './weighted_draw.js';

export abstract class DrawingChooser implements Chooser {
  protected readonly candidates: Candidates;
  protected readonly weighted: WeightedDraw;

  constructor(members: number, candidates: Candidates) {
    this.candidates = candidates;
    this.weighted = new WeightedDraw(members, candidates);
  }

  abstract choose(clientKey: Uint8Array, random: Random): number;
  abstract scoreOf(member: number): number | null;
  /** The rule, and how it came to `chosen`. */
  protected abstract sentence(chosen: number): string;

  /** A draw leaves nothing behind. */
  explain(clientKey: Uint8Array, random: Random): PolicyExplanation {
    const member = this.choose(clientKey, random);
    return { member, sentence: this.sentence(member) };
  }

  added(member: number): void {
    this.weighted.follow(member);
  }
  removed(member: number): void {
    this.weighted.follow(member);
  }
  weighed(member: number): void {
    this.weighted.follow(member);
  }
  counted(): void {}
  measured(): void {}
}
