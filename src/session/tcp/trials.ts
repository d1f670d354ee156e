/**
 * Connections of a worker whose clients have or want too much, and that are read all the same: they
 * may be cancels. Each is bounded by `hello_timeout`; further ones are refused unread.
 */
import type { PairId } from '../../core/brand.js';

const MAX_TRIALS = 64;

export class Trials {
  /** By pair: whose it is. */
  readonly #clients = new Map<PairId, string>();

  get count(): number {
    return this.#clients.size;
  }

  /**
   * `pair` of `client` is on trial, unless the client has as many as are free: one client alone
   * gets half of them, two get a half and a quarter. So it takes many clients that say nothing to
   * keep the others from cancelling (dynamic thresholds, as shared buffers of switches have them:
   * Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998).
   */
  begin(pair: PairId, client: string): boolean {
    let own = 0;
    for (const other of this.#clients.values()) if (other === client) own++;
    if (own >= MAX_TRIALS - this.#clients.size) return false;
    this.#clients.set(pair, client);
    return true;
  }

  /** Answers whether `pair` was on trial. */
  end(pair: PairId): boolean {
    return this.#clients.delete(pair);
  }
}
