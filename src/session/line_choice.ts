/** Which sessions or flows of a worker get an access line when they end. */
import { type AccessRecord, lineRule } from '../core/access.js';
import type { Cause } from '../core/outcome.js';
import { below, type Random } from '../core/random.js';
import type { AccessLevel } from '../core/spec.js';

/** A number: the line is one of a sample, and this many had none since the last such line. */
export type LineChoice = 'no line' | 'a line' | number;

export class LineChooser {
  #level: AccessLevel = 'errors';
  readonly #protocol: AccessRecord['protocol'];
  readonly #random: Random;
  /** Of the block of `oneOf` ends that is under way: how many were, and which one gets the line. */
  #passed = 0;
  #chosen = 0;
  #leftOut = 0;

  constructor(protocol: AccessRecord['protocol'], random: Random) {
    this.#protocol = protocol;
    this.#random = random;
  }

  /** A sample begins anew with another rate. */
  set level(level: AccessLevel) {
    const before = oneOf(this.#level);
    this.#level = level;
    if (oneOf(level) !== before) this.#begin();
  }

  choose(cause: Cause, failedDials: number): LineChoice {
    const rule = lineRule(this.#level, this.#protocol, cause, failedDials);
    if (rule === 'one of many') return this.#sample();
    return rule === 'yes' ? 'a line' : 'no line';
  }

  /**
   * One at random of each block: every n-th would be the same backend's for ever where turns are
   * strict, and drawing for each end alone would leave gaps of many times n.
   */
  #sample(): LineChoice {
    if (this.#passed >= oneOf(this.#level)) this.#begin();
    const isChosen = this.#passed++ === this.#chosen;
    if (!isChosen) {
      this.#leftOut++;
      return 'no line';
    }
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }

  #begin(): void {
    this.#passed = 0;
    this.#chosen = below(this.#random, oneOf(this.#level));
  }
}

function oneOf(level: AccessLevel): number {
  return typeof level === 'string' ? 1 : level.oneOf;
}
