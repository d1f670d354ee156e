import t from 'tap';
import { hashName } from '../../src/balance/hash.js';
import type { PolicyMember } from '../../src/balance/policy.js';
import { type HashRing, hashRing } from '../../src/balance/ring.js';
import { atOnce } from '../../src/core/stretches.js';
import { equalMembers, membersOf } from './situation.js';

const CLIENTS = 50_000;

t.test('when one leaves, only its clients move, and they spread', async (t) => {
  const members = equalMembers(20);
  const before = homes(ringOf(members));
  const after = homes(ringOf(members.map((m, i) => (i === 3 ? { ...m, weight: 0 } : m))));
  const takers = new Set<number>();
  for (const [client, home] of before.entries()) {
    if (home === 3) takers.add(after[client] ?? -1);
    else if (after[client] !== home) t.fail(`client ${client} moved from ${home}`);
  }
  t.ok(takers.size >= 15, `${takers.size} of 19 others took over`);
  t.notOk(takers.has(3));
});

t.test('when one joins, clients move to it only, and about its share', async (t) => {
  const members = equalMembers(20);
  const before = homes(ringOf(members.slice(0, 19)));
  const after = homes(ringOf(members));
  let moved = 0;
  for (const [client, home] of before.entries()) {
    if (after[client] === home) continue;
    moved++;
    t.equal(after[client], 19);
  }
  t.ok(moved > (CLIENTS / 20) * 0.7 && moved < (CLIENTS / 20) * 1.3, `${moved} moved`);
});

t.test('shares follow the weights to within a quarter', async (t) => {
  const weights = [1, 2, 4, 8];
  const counts = weights.map(() => 0);
  for (const home of homes(ringOf(membersOf(...weights)))) {
    counts[home] = (counts[home] ?? 0) + 1;
  }
  for (const [index, weight] of weights.entries()) {
    const ratio = (counts[index] ?? 0) / ((CLIENTS * weight) / 15);
    t.ok(ratio > 0.75 && ratio < 1.25, `weight ${weight}: ${ratio.toFixed(2)} of its share`);
  }
});

t.test('a pool of great weights is scaled down and keeps its shares', async (t) => {
  const members = membersOf(1, ...Array.from({ length: 400 }, () => 1000));
  const counts = new Map<number, number>();
  for (const home of homes(ringOf(members))) counts.set(home, (counts.get(home) ?? 0) + 1);
  t.ok((counts.get(0) ?? 0) < 40, 'the one of weight 1 has next to nothing');
  t.equal([...counts.keys()].filter((home) => home > 0).length, 400);
});

t.test('the order in the file moves no client', async (t) => {
  const members = membersOf(3, 1, 2, 5);
  const reversed = members.toReversed();
  const straight = homes(ringOf(members)).map((home) => nameAt(members, home));
  t.same(
    homes(ringOf(reversed)).map((home) => nameAt(reversed, home)),
    straight,
  );
});

t.test('hashes before the first point and after the last one belong to the first', async (t) => {
  const ring = ringOf(equalMembers(5));
  t.equal(ring.home(0), ring.home(0xffff_ffff));
});

t.test('without any weight there is no home', async (t) => {
  t.equal(ringOf(membersOf(0)).home(12), -1);
});

function ringOf(members: readonly PolicyMember[]): HashRing {
  return atOnce(hashRing(members));
}

function homes(ring: HashRing): number[] {
  return Array.from({ length: CLIENTS }, (_, client) => ring.home(hashName(`client ${client}`, 1)));
}

function nameAt(members: readonly PolicyMember[], index: number): string | undefined {
  return members[index]?.name;
}
