/** What every policy promises, whatever its rule. */
import t from 'tap';
import type { PolicyMember } from '../../src/balance/policy.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import {
  chiSquare,
  chiSquareLimit,
  type DrivenPolicy,
  equalMembers,
  membersOf,
  policyOf,
  Situation,
} from '../balance/situation.js';
import { seed } from '../support/seed.js';

for (const name of POLICY_NAMES) {
  t.test(`${name} (SEED=${seed})`, async (t) => {
    t.test('the choice is a candidate, for any weights, set and figures', async (t) => {
      const random = seededRandom(seed);
      for (let round = 0; round < 300; round++) {
        const members = randomMembers(random);
        const policy = policyOf(name, members);
        const situation = new Situation(members);
        for (let turn = 0; turn < 20; turn++) {
          scramble(situation, random);
          const chosen = policy.choose(situation, random);
          if (!situation.candidates().includes(chosen)) {
            t.fail(`round ${round}, turn ${turn}: ${chosen} of ${situation.candidates()}`);
            return;
          }
        }
      }
      t.pass('300 pools, 20 choices each');
    });

    t.test('weight 0 is never chosen while another candidate has a weight', async (t) => {
      const random = seededRandom(seed);
      const policy = policyOf(name, membersOf(0, 3, 0, 1, 0));
      const situation = new Situation(membersOf(0, 3, 0, 1, 0));
      const chosen = new Set<number>();
      for (let turn = 0; turn < 500; turn++) {
        chosen.add(situation.client(turn).take(policy, random));
      }
      t.same([...chosen].sort(), [1, 3]);
    });

    t.test('a weight that slow start or an operator took to 0 is respected', async (t) => {
      const random = seededRandom(seed);
      const policy = policyOf(name, equalMembers(3));
      const situation = new Situation(equalMembers(3));
      situation.weight[1] = 0;
      for (let turn = 0; turn < 500; turn++) {
        t.not(situation.client(turn).take(policy, random), 1);
      }
    });

    t.test('it returns a candidate even when every weight is 0', async (t) => {
      const policy = policyOf(name, membersOf(0, 0, 0));
      const situation = new Situation(membersOf(0, 0, 0)).only(1, 2);
      for (let turn = 0; turn < 50; turn++) {
        t.ok([1, 2].includes(situation.take(policy, seededRandom(seed + turn))));
      }
    });

    t.test('a single candidate is chosen, however loaded, slow and failing it is', async (t) => {
      const policy = policyOf(name, equalMembers(4));
      const situation = new Situation(equalMembers(4)).only(2);
      situation.active[2] = 1_000_000;
      situation.latencyMs[2] = 60_000;
      situation.failureRate[2] = 1;
      t.equal(policy.choose(situation, seededRandom(seed)), 2);
    });

    t.test('what it has followed is what it finds by looking at every member', async (t) => {
      const random = seededRandom(seed);
      for (let round = 0; round < 60; round++) {
        const members = randomMembers(random);
        const followed = policyOf(name, members);
        const situation = new Situation(members);
        for (let turn = 0; turn < 30; turn++) {
          scramble(situation, random);
          const problem = differs(name, followed, situation, seed + turn);
          if (problem !== null) {
            t.fail(`round ${round}, turn ${turn}: ${problem}`);
            return;
          }
        }
      }
      t.pass('60 pools, 30 situations each');
    });

    t.test('a pool of 2,048 backends is no problem', async (t) => {
      const members = equalMembers(2048);
      const policy = policyOf(name, members);
      const situation = new Situation(members);
      const random = seededRandom(seed);
      for (let turn = 0; turn < 2048; turn++) situation.client(turn).take(policy, random);
      t.equal(
        situation.active.reduce((sum, active) => sum + active, 0),
        2048,
      );
    });

    t.test(
      'among equals the seed or the client decides, never the place in the file',
      async (t) => {
        const members = equalMembers(10);
        const policy = (): ReturnType<typeof policyOf> => policyOf(name, members);
        const situation = new Situation(members).only(0, 1, 9);
        const counts = [0, 0, 0];
        for (let trial = 0; trial < 3000; trial++) {
          const chosen = policy().choose(situation.client(trial), seededRandom(seed + trial));
          const place = situation.candidates().indexOf(chosen);
          counts[place] = (counts[place] ?? 0) + 1;
        }
        const found = chiSquare(counts, [1, 1, 1]);
        t.ok(found < chiSquareLimit(2), `${counts} of 3000: chi-square ${found.toFixed(1)}`);
      },
    );

    t.test('the same seed makes the same choices', async (t) => {
      t.same(history(name, seededRandom(seed)), history(name, seededRandom(seed)));
    });

    t.test('an update without a change changes no choice', async (t) => {
      const untouched = history(name, seededRandom(seed));
      const updated = history(name, seededRandom(seed), (policy, members) =>
        policy.update([...members]),
      );
      t.same(updated, untouched);
    });

    t.test('members that come and go leave it able to choose', async (t) => {
      const random = seededRandom(seed);
      const policy = policyOf(name, equalMembers(5));
      for (let round = 0; round < 200; round++) {
        const members = randomMembers(random);
        policy.update(members);
        const situation = new Situation(members);
        scramble(situation, random);
        t.ok(situation.candidates().includes(policy.choose(situation, random)));
      }
    });

    t.test('the one that an explanation names is the one that is chosen', async (t) => {
      const random = seededRandom(seed);
      for (let round = 0; round < 100; round++) {
        const members = randomMembers(random);
        const policy = policyOf(name, members);
        const situation = new Situation(members);
        for (let turn = 0; turn < 20; turn++) {
          scramble(situation, random);
          const drawn = seed + round * 100 + turn;
          const foreseen = policy.foresee(situation, seededRandom(drawn)).member;
          const chosen = policy.choose(situation, seededRandom(drawn));
          if (foreseen === chosen) continue;
          t.fail(`round ${round}, turn ${turn}: ${foreseen} instead of ${chosen}`);
          return;
        }
      }
      t.pass('100 pools, 20 choices each');
    });

    t.test(
      'with two candidates the one of the lesser score is chosen, if they have any',
      async (t) => {
        if (name === 'adaptive') {
          t.pass('it draws among the best three');
          return;
        }
        const random = seededRandom(seed);
        const members = equalMembers(2);
        const policy = policyOf(name, members);
        const situation = new Situation(members);
        for (let turn = 0; turn < 200; turn++) {
          scramble(situation, random);
          situation.only(0, 1);
          const [a, b] = [...policy.scores(situation).values()];
          const chosen = policy.choose(situation, random);
          if (typeof a !== 'number' || typeof b !== 'number' || a === b) continue;
          t.equal(chosen, a < b ? 0 : 1, `scores ${a} and ${b}`);
        }
      },
    );

    t.test('explaining is one plain sentence and changes nothing', async (t) => {
      const silent = history(name, seededRandom(seed));
      const explained = history(name, seededRandom(seed), (policy, _, situation) => {
        const sentence = policy.explain(situation);
        t.match(sentence, /^[A-Zb].*\.$/);
        t.notMatch(sentence, /undefined|NaN|Infinity/);
      });
      t.same(explained, silent);
    });
  });
}

/** 60 choices in a pool of unequal members with one that is not eligible half of the time. */
function history(
  name: (typeof POLICY_NAMES)[number],
  random: Random,
  before: (
    policy: ReturnType<typeof policyOf>,
    members: readonly PolicyMember[],
    situation: Situation,
  ) => void = () => {},
): number[] {
  const members = membersOf(1, 2, 3, 1);
  const policy = policyOf(name, members);
  const situation = new Situation(members);
  return Array.from({ length: 60 }, (_, turn) => {
    situation.client(turn);
    if (turn % 20 < 10) situation.only(0, 1, 2, 3);
    else situation.only(0, 1, 3);
    before(policy, members, situation);
    return situation.take(policy, random);
  });
}

/** null, or how a choice is another one than that of a chooser that looks at every member now. */
function differs(
  name: (typeof POLICY_NAMES)[number],
  followed: DrivenPolicy,
  situation: Situation,
  seed: number,
): string | null {
  // Without any weight the one that stands first is as good, and each has an order of its own.
  if (situation.candidates().every((member) => situation.weightOf(member) === 0)) return null;
  const anew = followed.anew(situation.active.length);
  if (name === 'round-robin') {
    const [told, expected] = [followed.explain(situation), anew.explain(situation)];
    followed.choose(situation, seededRandom(seed));
    return told === expected ? null : `${told} instead of ${expected}`;
  }
  const chosen = followed.choose(situation, seededRandom(seed));
  if (name === 'least-connections' || name === 'adaptive') {
    const costs = situation.candidates().map((member) => costIn(name, situation, member));
    const [least = 0, second = least, third = second] = costs.sort((a, b) => a - b);
    const most = name === 'adaptive' ? third : least;
    const cost = costIn(name, situation, chosen);
    return cost <= most * (1 + 1e-9) ? null : `${chosen} costs ${cost}, not ${most}`;
  }
  const expected = anew.choose(situation, seededRandom(seed));
  return chosen === expected ? null : `${chosen} instead of ${expected}`;
}

function costIn(
  name: 'least-connections' | 'adaptive',
  situation: Situation,
  member: number,
): number {
  const load = (situation.activeOf(member) + 1) / situation.weightOf(member);
  if (name === 'least-connections') return load;
  const known = situation
    .candidates()
    .map((each) => situation.latencyMsOf(each))
    .filter((latencyMs) => latencyMs > 0);
  const mean = known.reduce((sum, latencyMs) => sum + latencyMs, 0) / Math.max(1, known.length);
  const latencyMs = situation.latencyMsOf(member) || mean || 1;
  return (load * latencyMs) / Math.max(1 - situation.failureRateOf(member), 0.05) ** 2;
}

function randomMembers(random: Random): PolicyMember[] {
  const count = 1 + below(random, 12);
  const weights = Array.from({ length: count }, () => below(random, 3) * below(random, 500));
  return membersOf(...weights).map((member, i) => ({ ...member, name: `${member.name}-${i % 3}` }));
}

function scramble(situation: Situation, random: Random): void {
  const { active, weight, latencyMs, failureRate } = situation;
  for (let member = 0; member < active.length; member++) {
    active[member] = below(random, 4) * below(random, 1000);
    weight[member] = below(random, 3) * random.next() * 100;
    latencyMs[member] = below(random, 2) * random.next() * 100;
    failureRate[member] = below(random, 3) / 2;
  }
  const candidates = [...active.keys()].filter(() => below(random, 2) === 0);
  situation.only(...(candidates.length > 0 ? candidates : [below(random, active.length)]));
  situation.clientKey = Uint8Array.from({ length: [0, 4, 16][below(random, 3)] ?? 0 }, () =>
    below(random, 256),
  );
}
