import t from 'tap';
import { hasAffinity } from '../../src/balance/registry.js';
import { seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { policyNamed } from '../support/policies.js';
import { seed } from '../support/seed.js';
import { equalMembers, policyOf, Situation } from './situation.js';

const CLIENTS = 100;

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
