import t from 'tap';
import { hashName } from '../../src/balance/hash.js';
import { Rendezvous } from '../../src/balance/rendezvous.js';
import { chiSquare, chiSquareLimit, membersOf } from './situation.js';

const CLIENTS = 40_000;

function nearest(others: Rendezvous, hash: number, candidates: readonly number[]): number {
  let best = -1;
  let bound = Number.POSITIVE_INFINITY;
  for (const member of candidates) {
    const distance = others.distance(hash, member, bound);
    if (distance < bound) {
      best = member;
      bound = distance;
    }
  }
  return best;
}

t.test('the nearest is a member in proportion to its weight', async (t) => {
  const weights = [1, 2, 3, 0.5];
  const others = new Rendezvous(membersOf(...weights));
  const counts = weights.map(() => 0);
  for (let client = 0; client < CLIENTS; client++) {
    const member = nearest(others, hashName(`client ${client}`, 1), [0, 1, 2, 3]);
    counts[member] = (counts[member] ?? 0) + 1;
  }
  t.ok(chiSquare(counts, weights) < chiSquareLimit(3), `${counts}`);
});

t.test('ruling out without a logarithm changes no answer', async (t) => {
  const others = new Rendezvous(membersOf(1, 2, 3, 0.5, 700));
  for (let client = 0; client < 5000; client++) {
    const hash = hashName(`client ${client}`, 1);
    const exact = [0, 1, 2, 3, 4].map((member) => others.distance(hash, member, Infinity));
    t.equal(nearest(others, hash, [0, 1, 2, 3, 4]), exact.indexOf(Math.min(...exact)));
  }
});

t.test(
  'a member without weight is farther than any with one, and not infinitely far',
  async (t) => {
    const others = new Rendezvous(membersOf(0, 1));
    for (let client = 0; client < 1000; client++) {
      const hash = hashName(`client ${client}`, 1);
      t.ok(others.distance(hash, 0, Infinity) > others.distance(hash, 1, Infinity));
      t.ok(others.distance(hash, 0, Infinity) < Infinity);
    }
  },
);
