import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import {
  type Algorithm,
  hashRingOf,
  maglevOf,
  Picker,
  type PickerMember,
} from '../../src/library/algorithms.js';

const members: PickerMember[] = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
const ALGORITHMS = POLICY_NAMES.filter((name): name is Algorithm => name !== 'source-hash');

for (const algorithm of ALGORITHMS) {
  t.test(
    `${algorithm}: counts stay over an update, and an excepted member is not picked`,
    async (t) => {
      const options = { random: seededRandom(1), nowMs: () => 0 };
      const picker = new Picker(algorithm, members, options);
      const held = Array.from({ length: 40 }, () => picker.pick(['a']));
      t.notOk(held.some((member) => member?.name === 'a'));
      const [first] = held;
      if (first === null || first === undefined) throw new Error('none was picked');
      const active = picker.activeOf(first);
      picker.update([...members.slice(1), { name: 'e', weight: 2 }]);
      t.equal(picker.activeOf(first), active);
      for (const member of held) if (member !== null) picker.done(member, { tookMs: 5 });
      t.equal(picker.activeOf(first), 0);
      picker.done(first);
      t.equal(picker.activeOf(first), 0, 'once too often does nothing');
      t.equal(picker.pick(['b', 'c', 'd', 'e']), null);
    },
  );
}

t.test('round-robin is smooth where weights differ', async (t) => {
  const weighted = [{ name: 'a', weight: 5 }, { name: 'b' }, { name: 'c' }];
  const picker = new Picker('round-robin', weighted, { random: seededRandom(2), nowMs: () => 0 });
  const turns = Array.from({ length: 70 }, () => picker.pick()?.name ?? '').join('');
  t.equal(turns.replace(/[^a]/g, '').length, 50);
  t.notMatch(turns, 'aaaa');
});

t.test('least-latency avoids the slow one, and least-connections the busy one', async (t) => {
  const two = members.slice(0, 2);
  const options = { random: seededRandom(3), nowMs: () => 0 };
  const byLatency = new Picker('least-latency', two, options);
  const names = new Set<string>();
  for (let n = 0; n < 40; n++) {
    const member = byLatency.pick();
    if (member === null) continue;
    if (n >= 20) names.add(member.name);
    byLatency.done(member, { tookMs: member.name === 'a' ? 500 : 5 });
  }
  t.same([...names], ['b']);
  const byCount = new Picker('least-connections', two, options);
  const counts = Array.from({ length: 10 }, () => byCount.pick()?.name);
  t.equal(counts.filter((name) => name === 'a').length, 5);
});

t.test('a key stays with its member when others leave', async (t) => {
  for (const homesOf of [hashRingOf, maglevOf]) {
    const before = homesOf(members);
    const after = homesOf(members.slice(0, 3));
    const keys = Array.from({ length: 2_000 }, (_, index) => `key-${index}`);
    const stay = keys.filter((key) => before(key)?.name !== 'd');
    const moved = stay.filter((key) => before(key)?.name !== after(key)?.name);
    t.ok(moved.length < stay.length * 0.05, `${homesOf.name}: ${moved.length} of ${stay.length}`);
    for (const { name } of members) {
      const share = keys.filter((key) => before(key)?.name === name).length / keys.length;
      t.ok(share > 0.17 && share < 0.33, `${homesOf.name}: ${name} has ${share}`);
    }
    t.equal(homesOf([])('x'), null);
  }
});

t.test('a ring has room for a number of members, each with a point, and no more', async (t) => {
  const many = Array.from({ length: 65_537 }, (_, index) => ({ name: `m${index}` }));
  t.throws(() => hashRingOf(many), /too many members \(expected at most 65536; got 65537\)/);
  const home = hashRingOf(many.slice(1), { virtualNodes: 1 });
  const last = new Set(
    many
      .slice(1)
      .map(({ name }) => name)
      .sort()
      .slice(-1_000),
  );
  const owners = new Set(Array.from({ length: 200_000 }, (_, key) => home(`${key}`)?.name ?? ''));
  t.ok([...last].filter((name) => owners.has(name)).length > 500, 'the last ones by name, too');
});
