import t from 'tap';
import { PlaceSet } from '../../src/balance/place_set.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test(`the next place is found from anywhere, in a set of any size (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const places of [1, 31, 32, 33, 1024, 1025, 40_000]) {
    const set = new PlaceSet(places);
    const known = new Set<number>();
    for (let change = 0; change < 200; change++) {
      const place = below(random, places);
      if (known.has(place)) set.remove(place);
      else set.add(place);
      if (!known.delete(place)) known.add(place);
      const from = below(random, places + 1);
      const after = [...known].filter((each) => each >= from);
      t.equal(set.next(from), after.length === 0 ? -1 : Math.min(...after));
      t.equal(set.size, known.size);
    }
  }
});
