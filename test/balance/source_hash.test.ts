import t from 'tap';
import { UNBOUND_SESSIONS } from '../../src/balance/bounded_load.js';
import { seededRandom } from '../../src/core/random.js';
import type { HashOptions } from '../support/policies.js';
import {
  chiSquare,
  chiSquareLimit,
  equalMembers,
  membersOf,
  policyOf,
  Situation,
} from './situation.js';

const CLIENTS = 10_000;
const RANDOM = seededRandom(1);
const ALGORITHMS = ['maglev', 'ring'] as const;

/** Where each client goes while no member has sessions. */
function homes(members: ReturnType<typeof membersOf>, hash: HashOptions, without = -1): number[] {
  const policy = policyOf('source-hash', members, hash);
  const situation = new Situation(members);
  if (without >= 0) situation.without(without);
  return Array.from({ length: CLIENTS }, (_, client) =>
    policy.choose(situation.client(client), RANDOM),
  );
}

for (const algorithm of ALGORITHMS) {
  t.test(`${algorithm}: a client always goes to the same backend`, async (t) => {
    t.same(homes(equalMembers(10), { algorithm }), homes(equalMembers(10), { algorithm }));
  });

  t.test(`${algorithm}: clients of others stay when a backend becomes ineligible`, async (t) => {
    const members = equalMembers(10);
    const before = homes(members, { algorithm });
    const after = homes(members, { algorithm }, 4);
    const takers = members.map(() => 0);
    for (const [client, home] of before.entries()) {
      const now = after[client] ?? -1;
      if (home !== 4) t.equal(now, home);
      else takers[now] = (takers[now] ?? 0) + 1;
    }
    const shares = members.map((_, index) => (index === 4 ? 0 : 1));
    t.ok(chiSquare(takers, shares) < chiSquareLimit(8), `its clients spread: ${takers}`);
  });

  t.test(`${algorithm}: bounded load holds at each choice, also for one busy client`, async (t) => {
    const weights = [1, 1, 2, 4];
    const policy = policyOf('source-hash', membersOf(...weights), {
      algorithm,
      balanceFactor: 1.25,
    });
    const situation = new Situation(membersOf(...weights));
    for (let session = 0; session < 2000; session++) {
      // Every other session is the same client's.
      const member = situation.client(session % 2 === 0 ? 7 : session).take(policy, RANDOM);
      const share = Math.ceil((1.25 * (session + 1) * (weights[member] ?? 0)) / 8);
      const bound = Math.max(UNBOUND_SESSIONS, share);
      const active = situation.active[member] ?? 0;
      if (active > bound) t.fail(`session ${session}: ${active} of ${bound} at b${member}`);
    }
    t.pass('2000 sessions');
  });
}

t.test('overflow spreads over all others by weight instead of filling one neighbour', async (t) => {
  const weights = [1, 1, 1, 2, 3];
  const policy = policyOf('source-hash', membersOf(...weights));
  const situation = new Situation(membersOf(...weights));
  const home = homes(membersOf(...weights), {});
  situation.active.set([999, 0, 0, 0, 0]);
  const takers = weights.map(() => 0);
  for (let client = 0; client < CLIENTS; client++) {
    const now = policy.choose(situation.client(client), RANDOM);
    if (home[client] === 0) takers[now] = (takers[now] ?? 0) + 1;
    else t.equal(now, home[client], 'a client at home elsewhere stays');
  }
  t.ok(chiSquare(takers, [0, 1, 1, 2, 3]) < chiSquareLimit(3), `${takers}`);
});

t.test('with a factor of exactly 1 there is still room somewhere, always', async (t) => {
  const members = membersOf(1, 3, 7);
  const policy = policyOf('source-hash', members, { balanceFactor: 1 });
  const situation = new Situation(members);
  for (let session = 1; session <= 1100; session++) {
    const member = situation.client(7).take(policy, RANDOM);
    const fair = (session * (members[member]?.weight ?? 0)) / 11;
    if ((situation.active[member] ?? 0) > Math.max(UNBOUND_SESSIONS, Math.ceil(fair)))
      t.fail(`session ${session}: b${member}`);
  }
  t.same([...situation.active], [100, 300, 700]);
});

t.test(
  'with bounded load off a client stays at home, however many sessions are there',
  async (t) => {
    const policy = policyOf('source-hash', equalMembers(4), { balanceFactor: 0 });
    const situation = new Situation(equalMembers(4)).client(7);
    for (let session = 0; session < 100; session++) situation.take(policy, RANDOM);
    t.equal(Math.max(...situation.active), 100);
  },
);

t.test('shares follow the weights', async (t) => {
  const counts = [0, 0, 0];
  for (const home of homes(membersOf(1, 2, 5), { tableSize: 65_537 })) {
    counts[home] = (counts[home] ?? 0) + 1;
  }
  t.ok(chiSquare(counts, [1, 2, 5]) < chiSquareLimit(2), `${counts}`);
});

t.test('a backend whose weight was raised from 0 at run time can take overflow', async (t) => {
  const policy = policyOf('source-hash', membersOf(0, 0));
  const situation = new Situation(membersOf(0, 0));
  situation.weight.set([1, 1]);
  for (let client = 0; client < 100; client++) situation.client(client).take(policy, RANDOM);
  t.ok(Math.min(...situation.active) > 30, `${situation.active}`);
});

t.test('it explains home, full home and absent home', async (t) => {
  const members = equalMembers(3);
  const policy = policyOf('source-hash', members);
  const situation = new Situation(members).client(7);
  const home = policy.choose(situation, RANDOM);
  t.match(policy.explain(situation), `has its home at b${home} (maglev).`);
  situation.active[home] = 9;
  const next = policy.choose(situation, RANDOM);
  t.match(
    policy.explain(situation),
    `at b${home}, which has 9 sessions of the 8 that bounded load allows; its next choice is b${next}.`,
  );
  situation.without(home);
  t.match(
    policy.explain(situation),
    `at b${home}, which is not eligible; its next choice is b${policy.choose(situation, RANDOM)}.`,
  );
});
