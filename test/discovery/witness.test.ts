/** What answers of a source do to those who serve. */
import t from 'tap';
import type { WitnessRules } from '../../src/core/discovery_spec.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { type Answer, failed, type Member } from '../../src/discovery/source.js';
import { Witness } from '../../src/discovery/witness.js';
import { seed } from '../support/seed.js';
import { answer, letters, member, members } from './members.js';

const RULES: WitnessRules = {
  holdMs: 30_000,
  confirmMs: 10_000,
  maxRemovedPercent: 50,
  whenEmpty: 'keep',
  limit: 20,
};
const well = (): boolean => true;
const unwell = (): boolean => false;

function witness(rules: Partial<WitnessRules> = {}): Witness {
  return new Witness({ ...RULES, ...rules });
}

/** One that has heard of `named` at 0. */
function told(named: string, rules: Partial<WitnessRules> = {}): Witness {
  const one = witness(rules);
  one.hear(answer(named), 0);
  return one;
}

t.test('the first answer counts at once, and an order of its own is no change', async (t) => {
  const one = told('cab');
  t.equal(letters(one.standing(0, well)), 'abc');
  one.hear(answer('bca'), 1_000);
  t.equal(letters(one.standing(1_000, well)), 'abc');
  t.equal(one.goodMs, 1_000);
});

t.test('a source that fails changes nothing, for however long', async (t) => {
  const one = told('abc');
  for (const nowMs of [1_000, 60_000, 86_400_000]) {
    one.hear(failed('timeout', 'it did not answer'), nowMs);
    t.equal(letters(one.standing(nowMs, unwell)), 'abc');
  }
  t.match(one.doubt, { kind: 'failed', failure: 'timeout', sinceMs: 1_000 });
  t.equal(one.goodMs, 0);
});

t.test('an empty answer changes nothing, unless that is allowed and confirmed', async (t) => {
  const strict = told('abc');
  strict.hear(answer(''), 1_000);
  strict.hear(answer(''), 3_600_000);
  t.equal(letters(strict.standing(3_600_000, unwell)), 'abc');
  t.match(strict.doubt, { kind: 'empty', sinceMs: 1_000 });
  const lax = told('abc', { whenEmpty: 'follow', maxRemovedPercent: 100 });
  lax.hear(answer(''), 1_000);
  t.equal(letters(lax.standing(10_999, unwell)), 'abc');
  t.equal(letters(lax.standing(11_000, unwell)), '');
});

t.test('an answer that takes away too many counts only when it repeats', async (t) => {
  const one = told('abcd');
  one.hear(answer('a'), 1_000);
  t.match(one.doubt, { kind: 'suspicious', missing: ['b', 'c', 'd'], of: 4, sinceMs: 1_000 });
  t.equal(letters(one.standing(10_999, unwell)), 'abcd');
  t.equal(letters(one.standing(11_000, unwell)), 'a');
  t.equal(one.doubt, null);
});

t.test('what it adds waits with it, and half is not too many', async (t) => {
  const one = told('abcd');
  one.hear(answer('az'), 1_000);
  t.equal(letters(one.standing(1_000, unwell)), 'abcd');
  t.equal(letters(one.standing(11_000, unwell)), 'az');
  const half = told('abcd');
  half.hear(answer('abxy'), 1_000);
  t.equal(letters(half.standing(1_000, unwell)), 'axyb', 'in the order of addresses');
});

t.test('a repetition with a gap is none: a failure, or a better answer, ends it', async (t) => {
  for (const gap of [failed('refused', 'SERVFAIL'), answer('abcd')]) {
    const one = told('abcd');
    one.hear(answer('a'), 1_000);
    one.hear(gap, 9_000);
    one.hear(answer('a'), 9_500);
    t.equal(letters(one.standing(19_000, unwell)), 'abcd');
    t.equal(letters(one.standing(19_500, unwell)), 'a');
  }
});

t.test('a source that contradicts itself takes away only whom it never names', async (t) => {
  const one = told('abcdef');
  for (let nowMs = 1_000; nowMs < 60_000; nowMs += 50) {
    one.hear(answer(nowMs % 100 === 0 ? 'ac' : 'ab'), nowMs);
    const standing = letters(one.standing(nowMs, unwell));
    t.equal(standing, nowMs < 11_000 ? 'abcdef' : standing.match(/^ab?c?$/)?.[0]);
    if (standing === 'a') t.fail('one of two that it names in turn is gone');
  }
});

t.test('who is not named any more stays while its probes pass, for a time', async (t) => {
  const one = told('abc');
  one.hear(answer('ab'), 1_000);
  t.equal(letters(one.standing(1_000, well)), 'abc');
  t.match(one.held, [{ member: { name: 'c' }, sinceMs: 1_000 }]);
  t.equal(letters(one.standing(30_999, well)), 'abc');
  t.equal(letters(one.standing(31_000, well)), 'ab');
  const sick = told('abc');
  sick.hear(answer('ab'), 1_000);
  t.equal(letters(sick.standing(1_000, ({ name }) => name !== 'c')), 'ab', 'it goes at once');
  t.equal(letters(sick.standing(2_000, well)), 'ab', 'and does not come back by itself');
});

t.test('who is held and named again was never away', async (t) => {
  const one = told('abc');
  one.hear(answer('ab'), 1_000);
  one.hear(answer('abc'), 5_000);
  t.same(one.held, []);
  t.equal(letters(one.standing(90_000, well)), 'abc');
});

t.test('who is told to drain leaves at once, and is not held', async (t) => {
  const one = told('abc');
  one.hear(
    { kind: 'members', members: withDraining('c'), elsewhere: [], leftOut: [], againMs: 0 },
    1_000,
  );
  t.equal(letters(one.standing(1_000, well)), 'ab');
  const all = told('abc');
  all.hear(
    { kind: 'members', members: withDraining('abc'), elsewhere: [], leftOut: [], againMs: 0 },
    1_000,
  );
  t.equal(letters(all.standing(60_000, well)), 'abc', 'all of them at once is an empty answer');
});

function withDraining(those: string): Member[] {
  return [...'abc'].map((letter) =>
    member(letter, { wanted: those.includes(letter) ? 'drain' : 'serve' }),
  );
}

t.test('a change of role counts at once, and the former primary is not held', async (t) => {
  const primary = (letter: string): Answer => ({
    kind: 'members',
    members: [member(letter, { role: 'primary' })],
    elsewhere: [],
    leftOut: [],
    againMs: 0,
  });
  const writes = witness();
  writes.hear(primary('a'), 0);
  writes.hear(primary('b'), 1_000);
  t.equal(letters(writes.standing(1_000, well)), 'b');
  t.strictSame([...writes.takeDemoted()], ['10.0.0.1:5432']);
  t.strictSame([...writes.takeDemoted()], []);
  const reads = told('ab');
  reads.hear(
    {
      kind: 'members',
      members: members('b').map((one) => ({ ...one, role: 'replica' })),
      elsewhere: members('a').map(({ address }) => address),
      leftOut: [],
      againMs: 0,
    },
    1_000,
  );
  t.equal(letters(reads.standing(1_000, well)), 'b');
});

t.test('more members than the limit are an answer that fails', async (t) => {
  const one = told('ab', { limit: 3 });
  one.hear(answer('abcd'), 1_000);
  t.equal(letters(one.standing(1_000, well)), 'ab');
  t.match(one.doubt, { kind: 'failed', failure: 'too-much', problem: 'it names 4, of 3 at most' });
});

t.test(
  'a member keeps the name that it came with, and takes the rest from the source',
  async (t) => {
    const one = told('a');
    const renamed = member('a', { name: 'z', weight: 7 });
    one.hear({ kind: 'members', members: [renamed], elsewhere: [], leftOut: [], againMs: 0 }, 1);
    t.match(one.standing(1, well), [{ name: 'a', weight: 7 }]);
  },
);

t.test('a weight of 0 is not a way around the rules', async (t) => {
  const one = told('ab');
  const idle = members('ab').map((each) => ({ ...each, weight: 0 }));
  one.hear({ kind: 'members', members: idle, elsewhere: [], leftOut: [], againMs: 0 }, 1_000);
  t.match(one.standing(60_000, well), [{ weight: 1 }, { weight: 1 }]);
});

t.test('what was known before a restart serves until the source says otherwise', async (t) => {
  const one = witness();
  one.restore(members('abc'));
  t.equal(letters(one.standing(0, well)), 'abc');
  one.hear(failed('unreachable', 'nobody is there'), 1);
  one.hear(answer('z'), 2);
  t.equal(letters(one.standing(2, well)), 'abc', 'it is suspicious, as in the process before');
});

t.test('many small steps are one large one', async (t) => {
  const one = told('abcdefgh');
  one.hear(answer('abcd'), 1_000);
  one.hear(answer('abc'), 2_000);
  t.match(one.doubt, { kind: 'suspicious', missing: ['d'] });
  t.equal(letters(one.standing(2_000, unwell)), 'abcd');
  t.equal(letters(one.standing(12_000, unwell)), 'abc');
  const rolling = told('abcd');
  rolling.hear(answer('bcde'), 1_000);
  rolling.hear(answer('cdef'), 1_100);
  rolling.hear(answer('defg'), 1_200);
  rolling.hear(answer('efgh'), 1_300);
  t.equal(letters(rolling.standing(1_300, unwell)), 'efgh', 'one for one is no loss');
});

const ALL = 'abcdefgh';

/** Any source, however wrong, in any order. */
function anyAnswer(random: Random): Answer {
  const kind = below(random, 6);
  if (kind === 0) return failed('timeout', 'mute');
  if (kind === 1) return { kind: 'unchanged', againMs: 0 };
  return answer(kind === 2 ? '' : [...ALL].filter(() => random.next() < 0.6).join(''));
}

t.test(`within the time to confirm, no source takes more than it may, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  for (let run = 0; run < 500; run++) {
    const one = told(ALL);
    const said: string[] = [];
    for (let nowMs = 100; nowMs < 10_000; nowMs += below(random, 500)) {
      const heard = anyAnswer(random);
      said.push(heard.kind === 'members' ? letters(heard.members) : heard.kind);
      one.hear(heard, nowMs);
      const standing = letters(one.standing(nowMs, unwell));
      if (standing.length < ALL.length / 2) t.fail(`${standing} after ${said.join(' ')}`);
    }
  }
  t.pass();
});

t.test(`however long it goes on, somebody stays, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  const one = told(ALL);
  for (let nowMs = 0, step = 0; step < 5_000; step++) {
    nowMs += below(random, 8_000);
    one.hear(anyAnswer(random), nowMs);
    const standing = one.standing(nowMs, () => random.next() < 0.5);
    if (standing.length === 0) t.fail(`step ${step}`);
  }
  t.pass();
});
