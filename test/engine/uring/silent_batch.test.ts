/**
 * Silent submissions: each number is reported once, whatever failed and however late answers are.
 */
import t from 'tap';
import { below, seededRandom } from '../../../src/core/random.js';
import { SilentBatch } from '../../../src/engine/uring/silent_batch.js';
import { seed } from '../../support/seed.js';

const NUMBERS = 8;
const TURNS = 20_000;

t.test('numbers that fail and come again before the rest is answered take no room', async (t) => {
  const batch = new SilentBatch(2);
  for (let times = 0; times < 5; times++) {
    batch.add(0);
    batch.before();
    batch.failed(0);
    batch.after('taken', () => t.fail('nothing is known to have succeeded'));
  }
  const told: number[] = [];
  batch.add(1);
  batch.before();
  batch.after('answered', (number) => told.push(number));
  t.same(told, [1]);
});

t.test(`silence is success, each time once (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const batch = new SilentBatch(NUMBERS);
  const wrong: string[] = [];
  const fresh = new Set<number>();
  let given = new Set<number>();
  const again = (number: number): void => {
    batch.add(number);
    fresh.add(number);
  };
  for (let turn = 0; turn < TURNS; turn++) {
    for (let number = 0; number < NUMBERS; number++) {
      if (below(random, 3) === 0 && !fresh.has(number) && !given.has(number)) again(number);
    }
    batch.before();
    for (const number of fresh) given.add(number);
    fresh.clear();
    for (const number of [...given]) {
      if (below(random, 4) > 0) continue;
      batch.failed(number);
      given.delete(number);
      if (below(random, 2) === 0) again(number);
    }
    const answered = below(random, 3) === 0;
    const told: number[] = [];
    batch.after(answered ? 'answered' : 'taken', (number) => {
      told.push(number);
      if (below(random, 2) === 0) again(number);
    });
    const expected = answered ? [...given] : [];
    if (answered) given = new Set();
    if (`${told.sort()}` !== `${expected.sort()}`) wrong.push(`turn ${turn}: ${told}`);
  }
  t.same(wrong, []);
});
