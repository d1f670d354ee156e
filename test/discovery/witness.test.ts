/** What answers of a source do to the members that serve. */
import t from 'tap';
import {
  type Member,
  membersFound,
  type SourceAnswer,
  sourceFailed,
} from '../../src/discovery/source.js';
import { answer, letters, member, members } from './members.js';
import { Probed, told, unprobed, witness } from './told.js';

t.test('the first answer counts at once, and an order of its own is no change', async (t) => {
  const one = told('cab');
  t.equal(letters(one.standing(0)), 'abc');
  one.hear(answer('bca'), 1_000);
  t.equal(letters(one.standing(1_000)), 'abc');
  t.equal(one.goodMs, 1_000);
});

t.test('a source that fails changes nothing, for however long', async (t) => {
  const one = told('abc');
  for (const nowMs of [1_000, 60_000, 86_400_000]) {
    one.hear(sourceFailed('timeout', 'it did not answer'), nowMs);
    t.equal(letters(one.standing(nowMs)), 'abc');
  }
  t.match(one.doubt, { kind: 'failed', failure: 'timeout', sinceMs: 1_000 });
  t.equal(one.goodMs, 0);
});

t.test('an empty answer changes nothing, unless that is allowed and confirmed', async (t) => {
  const strict = told('abc');
  strict.hear(answer(''), 1_000);
  strict.hear(answer(''), 3_600_000);
  t.equal(letters(strict.standing(3_600_000)), 'abc');
  t.match(strict.doubt, { kind: 'empty', sinceMs: 1_000 });
  const lax = told('abc', { whenEmpty: 'follow', maxRemovedPercent: 100 }, unprobed);
  lax.hear(answer(''), 1_000);
  t.equal(letters(lax.standing(10_999)), 'abc');
  t.equal(letters(lax.standing(11_000)), '');
});

t.test('one that is held stays while an answer in question names it', async (t) => {
  const one = told('abcde');
  one.hear(answer('abcd'), 1_000);
  t.equal(letters(one.standing(1_000)), 'abcde');
  // Four are missing in it, and one is back.
  one.hear(answer('ez'), 30_000);
  t.match(one.doubt, { kind: 'suspicious', missing: ['a', 'b', 'c', 'd'] });
  one.hear(answer('ez'), 35_000);
  t.equal(letters(one.standing(35_000)), 'abcde', 'its time would have been over');
  one.hear(answer('abcd'), 36_000);
  t.equal(letters(one.standing(64_000)), 'abcde', 'and begins anew');
  t.equal(letters(one.standing(66_000)), 'abcd');
});

t.test('an answer that names no member is reported also when there was none', async (t) => {
  const strict = witness();
  strict.hear(answer(''), 1_000);
  t.match(strict.doubt, { kind: 'empty', sinceMs: 1_000 });
  t.equal(strict.goodMs, null);
  strict.hear(answer('a'), 2_000);
  t.equal(strict.doubt, null);
  const lax = witness({ whenEmpty: 'follow' });
  lax.hear(answer(''), 1_000);
  t.equal(lax.doubt, null, 'it may say that there is no member');
  const roled = witness();
  const [elsewhere] = members('a').map(({ address }) => address);
  if (elsewhere === undefined) throw new Error('a is a member');
  roled.hear({ ...membersFound([], 0), elsewhere: [elsewhere] }, 1_000);
  t.equal(roled.doubt, null, 'it knows which member has the other role');
});

t.test('an answer that takes away too many counts only when it repeats', async (t) => {
  const one = told('abcd', {}, unprobed);
  one.hear(answer('a'), 1_000);
  t.match(one.doubt, { kind: 'suspicious', missing: ['b', 'c', 'd'], of: 4, sinceMs: 1_000 });
  t.equal(letters(one.standing(10_999)), 'abcd');
  t.equal(letters(one.standing(11_000)), 'a');
  t.equal(one.doubt, null);
});

t.test('what it adds waits with it, and half is not too many', async (t) => {
  const one = told('abcd', {}, unprobed);
  one.hear(answer('az'), 1_000);
  t.equal(letters(one.standing(1_000)), 'abcd');
  t.equal(letters(one.standing(11_000)), 'az');
  const half = told('abcd', {}, unprobed);
  half.hear(answer('abxy'), 1_000);
  t.equal(letters(half.standing(1_000)), 'axyb', 'in the order of addresses');
});

t.test('a better answer ends a repetition, and the time begins anew', async (t) => {
  const one = told('abcd', {}, unprobed);
  one.hear(answer('a'), 1_000);
  one.hear(answer('abcd'), 9_000);
  one.hear(answer('a'), 9_500);
  t.equal(letters(one.standing(19_000)), 'abcd');
  t.equal(letters(one.standing(19_500)), 'a');
});

t.test('an answer that says nothing is neither a repetition nor the end of one', async (t) => {
  for (const nothing of [
    sourceFailed('refused', 'SERVFAIL'),
    answer(''),
    answer('abcdefghijklmnopqrstu'),
  ]) {
    const one = told('abcd', {}, unprobed);
    one.hear(answer('a'), 1_000);
    for (const nowMs of [2_000, 6_000, 9_000, 10_900]) one.hear(nothing, nowMs);
    t.equal(letters(one.standing(11_000)), 'abcd', 'it is said when it is said again');
    one.hear(answer('a'), 11_100);
    t.equal(letters(one.standing(11_100)), 'a');
    const late = told('abcd', {}, unprobed);
    late.hear(answer('a'), 1_000);
    late.hear(nothing, 2_000);
    late.hear(answer('a'), 12_001);
    t.equal(letters(late.standing(12_001)), 'abcd', 'both may stem from one outage');
    t.match(late.doubt, { kind: 'suspicious', sinceMs: 12_001 });
    t.equal(letters(late.standing(22_001)), 'a');
  }
});

t.test('a source that contradicts itself removes only members that it never names', async (t) => {
  const one = told('abcdef', {}, unprobed);
  for (let nowMs = 1_000; nowMs < 60_000; nowMs += 50) {
    one.hear(answer(nowMs % 100 === 0 ? 'ac' : 'ab'), nowMs);
    const standing = letters(one.standing(nowMs));
    t.equal(standing, nowMs < 11_000 ? 'abcdef' : standing.match(/^ab?c?$/)?.[0]);
    if (standing === 'a') t.fail('one of two that it names in turn is gone');
  }
});

t.test('a member that is not named any more stays while its probes pass, for a time', async (t) => {
  const one = told('abc');
  one.hear(answer('ab'), 1_000);
  t.equal(letters(one.standing(1_000)), 'abc');
  t.match(one.held, [{ member: { name: 'c' }, sinceMs: 1_000 }]);
  t.equal(letters(one.standing(30_999)), 'abc');
  t.equal(letters(one.standing(31_000)), 'ab');
  const probes = new Probed();
  const sick = told('abcd', {}, probes.of);
  probes.set({ c: 'down' });
  sick.hear(answer('ab'), 1_000);
  t.equal(letters(sick.standing(1_000)), 'abd', 'it goes at once');
  probes.set({ c: 'serves', d: 'down' });
  t.equal(letters(sick.standing(2_000)), 'ab', 'and does not come back by itself');
  probes.set({ d: 'serves' });
  t.equal(letters(sick.standing(3_000)), 'ab');
  const idle = told('abc', {}, () => 'answers');
  idle.hear(answer('ab'), 1_000);
  t.equal(letters(idle.standing(1_000)), 'ab', 'one without sessions is not held');
});

t.test('a member that is held and named again was never away', async (t) => {
  const one = told('abc');
  one.hear(answer('ab'), 1_000);
  one.hear(answer('abc'), 5_000);
  t.same(one.held, []);
  t.equal(letters(one.standing(90_000)), 'abc');
});

t.test('a member that is to drain leaves at once, and is not held', async (t) => {
  const one = told('abc');
  one.hear(membersFound(withDraining('c'), 0), 1_000);
  t.equal(letters(one.standing(1_000)), 'ab');
  const all = told('abc');
  all.hear(membersFound(withDraining('abc'), 0), 1_000);
  t.equal(letters(all.standing(60_000)), 'abc', 'all of them at once is an empty answer');
});

function withDraining(those: string): Member[] {
  return [...'abc'].map((letter) =>
    member(letter, { wanted: those.includes(letter) ? 'drain' : 'serve' }),
  );
}

t.test('a change of role counts at once, and the former primary is not held', async (t) => {
  const primary = (letter: string): SourceAnswer => ({
    kind: 'members',
    members: [member(letter, { role: 'primary' })],
    elsewhere: [],
    leftOut: [],
    remarks: [],
    againMs: 0,
  });
  const writes = witness();
  writes.hear(primary('a'), 0);
  writes.hear(primary('b'), 1_000);
  t.equal(letters(writes.standing(1_000)), 'b');
  t.strictSame([...writes.takeDemoted()], ['10.0.0.1:5432']);
  t.strictSame([...writes.takeDemoted()], []);
  const reads = told('ab');
  reads.hear(
    {
      kind: 'members',
      members: members('b').map((one) => ({ ...one, role: 'replica' })),
      elsewhere: members('a').map(({ address }) => address),
      leftOut: [],
      remarks: [],
      againMs: 0,
    },
    1_000,
  );
  t.equal(letters(reads.standing(1_000)), 'b');
});

t.test('more members than the limit are an answer that fails', async (t) => {
  const one = told('ab', { limit: 3 });
  one.hear(answer('abcd'), 1_000);
  t.equal(letters(one.standing(1_000)), 'ab');
  t.match(one.doubt, { kind: 'failed', failure: 'too-much', problem: 'it names 4, of 3 at most' });
});

t.test('too many members are no fewer because nothing has changed since', async (t) => {
  const one = told('abc');
  one.hear(answer('abcdefghijklmnopqrstu'), 1_000);
  one.hear({ kind: 'unchanged', againMs: 1_000 }, 2_000);
  t.match(one.doubt, { kind: 'failed', failure: 'too-much', sinceMs: 1_000 });
  t.equal(letters(one.standing(2_000)), 'abc');
  one.hear(answer('abc'), 3_000);
  one.hear({ kind: 'unchanged', againMs: 1_000 }, 4_000);
  t.equal(one.doubt, null);
});

t.test(
  'a member keeps the name that it came with, and takes the rest from the source',
  async (t) => {
    const one = told('a');
    const renamed = member('a', { name: 'z', weight: 7 });
    one.hear(membersFound([renamed], 0), 1);
    t.match(one.standing(1), [{ name: 'a', weight: 7 }]);
  },
);

t.test('a weight of 0 is not a way around the rules', async (t) => {
  const one = told('ab');
  const idle = members('ab').map((each) => ({ ...each, weight: 0 }));
  one.hear(membersFound(idle, 0), 1_000);
  t.match(one.standing(60_000), [{ weight: 1 }, { weight: 1 }]);
});

t.test('what was known before a restart serves until the source says otherwise', async (t) => {
  const one = witness();
  one.restore(members('abc'));
  t.equal(letters(one.standing(0)), 'abc');
  one.hear(sourceFailed('unreachable', 'no member is there'), 1);
  one.hear(answer('z'), 2);
  t.equal(letters(one.standing(2)), 'abc', 'it is suspicious, as in the process before');
});

t.test('many small steps are one large one', async (t) => {
  const one = told('abcdefgh', {}, unprobed);
  one.hear(answer('abcd'), 1_000);
  one.hear(answer('abc'), 2_000);
  t.match(one.doubt, { kind: 'suspicious', missing: ['d'] });
  t.equal(letters(one.standing(2_000)), 'abcd');
  t.equal(letters(one.standing(12_000)), 'abc');
  const rolling = told('abcd', {}, unprobed);
  rolling.hear(answer('bcde'), 1_000);
  rolling.hear(answer('cdef'), 1_100);
  rolling.hear(answer('defg'), 1_200);
  rolling.hear(answer('efgh'), 1_300);
  t.equal(letters(rolling.standing(1_300)), 'efgh', 'one for one is no loss');
});

t.test('to lose one that is down, or never was up, is no loss', async (t) => {
  const probes = new Probed();
  const one = told('abcd', {}, probes.of);
  probes.set({ b: 'down', c: 'down', d: 'unproven' });
  one.hear(answer('aefg'), 1_000);
  t.equal(letters(one.standing(1_000)), 'aefg', 'three of four, and not suspicious');
  const last = told('abcd', {}, probes.of);
  last.hear(answer('bcd'), 1_000);
  t.match(last.doubt, { kind: 'suspicious', missing: ['a'], of: 1 }, 'one of four, which serves');
  const empty = told('abcd', {}, () => 'down');
  empty.hear(answer(''), 1_000);
  t.equal(letters(empty.standing(90_000)), 'abcd', 'none is still none');
});

t.test('an answer in question counts as soon as those that it takes away are down', async (t) => {
  const probes = new Probed();
  const one = told('ab', {}, probes.of);
  one.hear(answer('cd'), 1_000);
  t.equal(letters(one.standing(2_000)), 'ab');
  probes.set({ a: 'down' });
  t.equal(letters(one.standing(3_000)), 'ab');
  probes.set({ b: 'down' });
  t.equal(letters(one.standing(4_000)), 'cd');
});

t.test('those that serve stay while none of those that are named does', async (t) => {
  const probes = new Probed();
  const one = told('abc', {}, probes.of);
  probes.set({ d: 'unproven', e: 'unproven' });
  one.hear(answer('de'), 1_000);
  t.equal(letters(one.standing(10_999)), 'abc');
  t.equal(letters(one.standing(11_000)), 'abcde');
  t.equal(one.doubt, null, 'they have just come');
  probes.set({ d: 'down', e: 'down', a: 'down' });
  t.equal(letters(one.standing(90_000)), 'abcde', 'long after the time to be held');
  probes.set({ a: 'serves' });
  one.hear(answer('de'), 600_000);
  t.equal(letters(one.standing(610_000)), 'abcde', 'nor does one go that failed meanwhile');
  t.match(one.doubt, { kind: 'contradicted', kept: ['a', 'b', 'c'], sinceMs: 90_000 });
  probes.set({ e: 'serves' });
  t.equal(letters(one.standing(620_000)), 'de', 'until the first of them is well');
  t.equal(one.doubt, null);
});

t.test('the correction back to what serves counts at once', async (t) => {
  const probes = new Probed();
  const one = told('abcd', { holdMs: 2_000 }, probes.of);
  probes.set({ e: 'unproven' });
  one.hear(answer('e'), 1_000);
  t.equal(letters(one.standing(11_000)), 'abcde');
  probes.set({ e: 'down' });
  t.equal(letters(one.standing(60_000)), 'abcde');
  one.hear(answer('abcd'), 60_100);
  t.equal(letters(one.standing(60_100)), 'abcd');
  t.equal(one.doubt, null);
  const caught = told('abcd');
  caught.hear(answer('e'), 1_000);
  t.equal(letters(caught.standing(11_000)), 'abcde', 'e passes the probes, as a portal may');
  caught.hear(answer('abcd'), 12_000);
  t.match(caught.doubt, null);
  t.equal(letters(caught.standing(42_000)), 'abcd');
});

t.test('one that is to get no sessions has them while no other can', async (t) => {
  const probes = new Probed();
  const one = told('ab', { maxRemovedPercent: 100 }, probes.of);
  probes.set({ c: 'unproven' });
  const said = [member('a', { wanted: 'drain' }), member('b', { weight: 0 }), member('c')];
  one.hear(membersFound(said, 0), 1_000);
  t.match(one.standing(1_000), [{ wanted: 'serve' }, { weight: 1 }, { name: 'c' }]);
  probes.set({ c: 'serves' });
  t.match(one.standing(2_000), [{ name: 'b', weight: 0 }, { name: 'c' }]);
});

t.test('where the source knows roles, it decides, and not the probes', async (t) => {
  const probes = new Probed();
  const one = witness({}, probes.of);
  const replicas = (letters: string): SourceAnswer =>
    membersFound(
      members(letters).map((each) => ({ ...each, role: 'replica' as const })),
      0,
    );
  one.hear(replicas('ab'), 0);
  probes.set({ c: 'down' });
  one.hear(replicas('c'), 1_000);
  t.equal(letters(one.standing(11_000)), 'abc');
  t.equal(letters(one.standing(31_000)), 'c');
});
