/**
 * The position of a round-robin, which several threads may share. A turn is a place in virtual time
 * (0 to 1, round and round) and the rank of the member whose turn it is.
 */
import type { Random } from '../core/random.js';

export interface Turns {
  /**
   * A number from which the order of members follows; drawn once, by the first thread that needs
   * it.
   */
  seed(random: Random): number;
  /** 0 until one is drawn. */
  readonly drawn: number;
  /** Reads the last turn into `at` and `rank`; answers a token for `tryMove`. */
  read(): number;
  readonly at: number;
  readonly rank: number;
  /** Makes this the last turn; false when another thread has moved since `token` was read. */
  tryMove(token: number, at: number, rank: number): boolean;
}

/** For one thread. */
export class OwnTurns implements Turns {
  drawn = 0;
  at = 0;
  rank = -1;

  seed(random: Random): number {
    if (this.drawn === 0) this.drawn = drawSeed(random);
    return this.drawn;
  }

  read(): number {
    return 0;
  }

  tryMove(_: number, at: number, rank: number): boolean {
    this.at = at;
    this.rank = rank;
    return true;
  }
}

/** 1 to 2^31 - 1. */
export function drawSeed(random: Random): number {
  return 1 + Math.floor(random.next() * (2 ** 31 - 1));
}
