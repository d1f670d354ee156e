import t from 'tap';
import { hasAffinity } from '../../src/balance/registry.js';
import { seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { policyNamed } from '../support/policies.js';
import { seed } from '../support/seed.js';
import { equalMembers, policyOf, Situation } from './situation.js';

const CLIENTS = 100;
const ALONE = /^b1( \(.*\))? is the only eligible backend\.$/;

for (const name of POLICY_NAMES) {
  const affinity = hasAffinity(policyNamed(name));
  const what = affinity ? 'a client comes back to its backend' : 'a client may go anywhere';
  t.test(`${name}: ${what} (SEED=${seed})`, async (t) => {
    const members = equalMembers(10);
    const policy = policyOf(name, members);
    const random = seededRandom(seed);
    const round = (): number[] => {
      const situation = new Situation(members);
      return Array.from({ length: CLIENTS }, (_, client) =>
        situation.client(client).take(policy, random),
      );
    };
    // A session more or less than before, so that no order repeats by itself.
    const first = round();
    policy.choose(new Situation(members), random);
    const second = round();
    if (affinity) t.same(second, first);
    else t.notSame(second, first);
  });
}

// source-hash says where the client's home is, also when it is the only one.
for (const name of POLICY_NAMES.filter((one) => one !== 'source-hash')) {
  t.test(`${name}: of a backend that is eligible alone it says only that`, async (t) => {
    const members = equalMembers(3);
    const policy = policyOf(name, members);
    const situation = new Situation(members).only(1);
    const random = seededRandom(seed);
    t.match(policy.foresee(situation, random), { member: 1, sentence: ALONE });
    policy.choose(situation, random);
    t.match(policy.foresee(situation, random), { member: 1, sentence: ALONE });
  });
}
