/**
 * Which peer has a turn when. Rows of a Williams square (E. J. Williams, "Experimental designs
 * balanced for the estimation of residual effects of treatments", 1949): over as many rounds as
 * there are peers, each has every place once, and none always follows the same one.
 */

/** The order of round `round`, counted from 0. */
export function orderOf<T>(peers: readonly T[], round: number): T[] {
  const count = peers.length;
  return peers.flatMap((_, place) => {
    // 0, 1, n-1, 2, n-2 …: all differences of neighbours are different.
    const base = place % 2 === 1 ? (place + 1) / 2 : count - place / 2;
    return peers.slice((base + round) % count, ((base + round) % count) + 1);
  });
}
