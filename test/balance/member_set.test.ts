import t from 'tap';
import { MemberSet } from '../../src/balance/member_set.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test(`members come and go, and are all found by position (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const set = new MemberSet(20);
  const known = new Set<number>();
  for (let change = 0; change < 2000; change++) {
    const member = below(random, 20);
    if (below(random, 2) === 0) {
      set.add(member);
      known.add(member);
    } else {
      set.remove(member);
      known.delete(member);
    }
    const found = Array.from({ length: set.size }, (_, position) => set.at(position));
    t.same(
      found.sort((a, b) => a - b),
      [...known].sort((a, b) => a - b),
    );
    t.equal(set.has(member), known.has(member));
    for (const one of known) if (one < set.size) t.equal(set.at(one), one, 'at its own place');
  }
  t.notOk(set.has(-1));
  t.notOk(set.has(20));
});
