/** What an order changes of the backends that there are, whichever it is about. Seeded. */
import t from 'tap';
import { fold } from '../../src/control/desired/fold.js';
import { end, order } from '../../src/control/desired/orders.js';
import type { Override } from '../../src/control/desired/override.js';
import { restate } from '../../src/control/restating.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { backendSpec, inventory, poolSpec, resolved, spec } from './fixtures.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const configured = spec(
  ['p', 'q'].map((name) => poolSpec(name, { backends: names.map((each) => backendSpec(each)) })),
);
const NOW = 1_000;
const ADA = { by: 'ada', because: '', sinceWallMs: NOW, untilWallMs: null };

t.test(`what is there is what is folded; differences are reported (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const all = inventory();
  all.apply(configured, resolved);
  let overrides: readonly Override[] = [];
  for (let turn = 0; turn < 300; turn++) {
    const pool = ['p', 'q'][below(random, 2)] ?? '';
    const target = [`${pool}/${names[below(random, names.length)]}`, `${pool}/*`][below(random, 2)];
    const value = below(random, 4);
    const sources = { configured, overrides };
    const given =
      below(random, 4) === 0
        ? end(sources, [target ?? ''], () => true)
        : order(sources, [target ?? ''], { kind: 'weight', value }, ADA);
    if (!given.ok) throw new Error(given.error);
    ({ overrides } = given.value);
    const wanted = fold({ configured, overrides }, NOW).spec.pools;
    const before = weightsOf(all);
    const told = restate(all.pools, wanted).map(({ entry, before: was }) => [
      `${entry.pool.key}/${entry.spec.name}`,
      was.weight,
    ]);
    const after = weightsOf(all);
    t.strictSame(
      [...after.values()],
      wanted.flatMap(({ backends }) => backends.map(({ weight }) => weight)),
    );
    const differing = [...before].filter(([name, weight]) => after.get(name) !== weight);
    t.strictSame(told, differing);
  }
});

t.test('thousands that an order is not about are not looked at', async (t) => {
  let looks = 0;
  const counted = new Proxy(backendSpec('a'), {
    get: (of, key, receiver) => {
      looks++;
      return Reflect.get(of, key, receiver);
    },
  });
  const all = inventory();
  const before = poolSpec('p', { backends: [counted, backendSpec('b')] });
  all.apply(spec([before]), resolved);
  looks = 0;
  const backends = [counted, backendSpec('b', { weight: 7 })];
  const told = restate(all.pools, [{ ...before, backends }]);
  t.same(
    told.map(({ entry }) => entry.spec.weight),
    [7],
  );
  t.equal(looks, 1, 'its name, to find the member that is meant');
});

function weightsOf(all: ReturnType<typeof inventory>): Map<string, number> {
  return new Map(
    [...all.backends()].map(({ pool, spec }) => [`${pool.key}/${spec.name}`, spec.weight]),
  );
}
