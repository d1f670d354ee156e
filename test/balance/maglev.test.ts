import t from 'tap';
import { hashName } from '../../src/balance/hash.js';
import { type MaglevTable, maglevTable } from '../../src/balance/maglev.js';
import type { PolicyMember } from '../../src/balance/policy.js';
import { InvariantError } from '../../src/core/assert.js';
import { atOnce } from '../../src/core/stretches.js';
import { equalMembers, membersOf } from './situation.js';

const SIZE = 65_537;

t.test('the slots of 100 equal backends are equal within 1 %', async (t) => {
  const counts = slotCounts(tableOf(equalMembers(100), SIZE), SIZE, 100);
  const mean = SIZE / 100;
  const least = Math.min(...counts);
  const greatest = Math.max(...counts);
  t.ok(greatest - least <= 1, `${least} to ${greatest}: they differ by one turn at most`);
  t.ok(greatest < mean * 1.01 && least > mean * 0.99);
});

t.test('slots follow the weights, the smallest weight included', async (t) => {
  const weights = [1, 10, 100, 1000, 250];
  const counts = slotCounts(tableOf(membersOf(...weights), SIZE), SIZE, weights.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    const expected = (SIZE * weight) / total;
    const found = counts[index] ?? 0;
    t.ok(Math.abs(found - expected) <= 1 + expected * 0.01, `${found} for ${expected.toFixed(1)}`);
  }
});

t.test('when one of 100 leaves, fewer than 2.5 % of the other clients move', async (t) => {
  const members = equalMembers(100);
  const before = tableOf(members, SIZE);
  let worst = 0;
  for (const leaving of [0, 7, 42, 77, 99]) {
    const after = tableOf(
      members.map((member, index) => (index === leaving ? { ...member, weight: 0 } : member)),
      SIZE,
    );
    worst = Math.max(worst, movedShare(before, after, leaving));
  }
  t.ok(worst < 0.025, `${(100 * worst).toFixed(2)} % moved`);
});

t.test('the order in the file moves no client', async (t) => {
  const members = membersOf(3, 1, 2, 5);
  const straight = tableOf(members, 1021);
  const reversed = tableOf(members.toReversed(), 1021);
  for (let client = 0; client < 2000; client++) {
    const hash = hashName(`client ${client}`, 1);
    t.equal(
      nameAt(members, straight.home(hash)),
      nameAt(members.toReversed(), reversed.home(hash)),
    );
  }
});

t.test('every slot has an owner, also with a table smaller than the pool', async (t) => {
  const counts = slotCounts(tableOf(equalMembers(20), 7), 7, 20);
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    7,
  );
});

t.test('without any weight there is no home', async (t) => {
  t.equal(tableOf(membersOf(0, 0), 7).home(12), -1);
});

t.test('a size that is not a prime is refused', async (t) => {
  for (const size of [0, 1, 65_536, 7.5]) {
    t.throws(() => tableOf(equalMembers(2), size), InvariantError);
  }
});

/** How many of the table's `size` slots each of `members` has: a hash below `size` is a slot. */
function slotCounts(table: MaglevTable, size: number, members: number): number[] {
  const counts = Array<number>(members).fill(0);
  for (let slot = 0; slot < size; slot++) {
    const member = table.home(slot);
    counts[member] = (counts[member] ?? 0) + 1;
  }
  return counts;
}

/** Of the clients that were not at `leaving`, the share that is elsewhere afterwards. */
function movedShare(before: MaglevTable, after: MaglevTable, leaving: number): number {
  let stayed = 0;
  let moved = 0;
  for (let client = 0; client < 100_000; client++) {
    const hash = hashName(`client ${client}`, 1);
    if (before.home(hash) === leaving) continue;
    if (before.home(hash) === after.home(hash)) stayed++;
    else moved++;
  }
  return moved / (moved + stayed);
}

function nameAt(members: readonly PolicyMember[], index: number): string | undefined {
  return members[index]?.name;
}

function tableOf(members: readonly PolicyMember[], size: number): MaglevTable {
  return atOnce(maglevTable(members, size));
}
