/**
 * A round of a request with a hedge: when the first try takes longer than most do, a second one
 * begins elsewhere, and the first answer counts (J. Dean, L. A. Barroso, "The Tail at Scale", CACM
 * 56(2), 2013). The other try is aborted, and says nothing about its backend.
 */
import type { Timers } from '../core/clock.js';
import type { Callback } from './execute_options.js';
import type { Try, TryOutcome } from './one_try.js';

export interface HedgeDeps<T> {
  readonly timers: Timers;
  /** null: too few requests so far to know what most take. */
  readonly afterMs: number | null;
  /** The second try; null: the budget has no room for it, or no other backend is eligible. */
  readonly second: () => Try<T> | null;
}

export async function hedged<T>(
  first: Try<T>,
  callback: Callback<T>,
  { timers, afterMs, second }: HedgeDeps<T>,
): Promise<TryOutcome<T>> {
  const running = first.run(callback);
  if (afterMs === null) return running;
  const late = new Promise<null>((resolve) => {
    const timer = timers.after(afterMs, () => resolve(null));
    void running.then(() => timer.cancel());
  });
  const early = await Promise.race([running, late]);
  if (early !== null) return early;
  const other = second();
  if (other === null) return running;
  return fasterOf(first, running, other, other.run(callback));
}

/**
 * The first answer; a failure counts when both have failed, or the request is over. Of two failures
 * the one after which something may have been sent decides whether there is another try.
 */
async function fasterOf<T>(
  a: Try<T>,
  aRuns: Promise<TryOutcome<T>>,
  b: Try<T>,
  bRuns: Promise<TryOutcome<T>>,
): Promise<TryOutcome<T>> {
  const [winner, outcome] = await Promise.race([
    aRuns.then((one) => [a, one] as const),
    bRuns.then((one) => [b, one] as const),
  ]);
  const [loser, loserRuns] = winner === a ? [b, bRuns] : [a, aRuns];
  if (outcome.kind === 'failed' && outcome.blame !== 'ended') {
    const last = await loserRuns;
    const isSafe = last.kind === 'failed' && last.blame === 'unsent';
    return isSafe && outcome.blame === 'unknown' ? outcome : last;
  }
  loser.lose();
  return outcome;
}
