import t from 'tap';
import { EventQueue } from '../../src/core/event_queue.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test('an empty queue has nothing next', async (t) => {
  const queue = new EventQueue<string>();
  t.equal(queue.nextMs, Number.POSITIVE_INFINITY);
  t.equal(queue.take(), undefined);
});

t.test('of events at one instant the first one put in goes first', async (t) => {
  const queue = new EventQueue<string>();
  for (const event of ['a', 'b', 'c', 'd']) queue.put(5, event);
  t.same([queue.take(), queue.take(), queue.take(), queue.take()], ['a', 'b', 'c', 'd']);
});

t.test(`events come out as a sorted list has them (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const queue = new EventQueue<number>();
  const model: { atMs: number; event: number }[] = [];
  const taken: number[] = [];
  const expected: number[] = [];
  for (let event = 0; event < 3000; event++) {
    const atMs = below(random, 50);
    queue.put(atMs, event);
    model.push({ atMs, event });
    model.sort((a, b) => a.atMs - b.atMs);
    if (below(random, 3) === 0) {
      if (queue.nextMs !== model[0]?.atMs) t.fail('nextMs is the least time');
      taken.push(queue.take() ?? -1);
      expected.push(model.shift()?.event ?? -1);
    }
  }
  t.same(taken, expected);
});

t.test('an event costs few steps, whatever else waits and for how long', async (t) => {
  let steps = 0;
  // A time that counts each time it is compared.
  const counted = (atMs: number): number => {
    const counting = (): number => {
      steps++;
      return atMs;
    };
    return { valueOf: counting } as unknown as number;
  };
  for (const events of [1_000, 8_000]) {
    const queue = new EventQueue<number>();
    for (let event = 0; event < events; event++) queue.put(counted(5_000 + event), event);
    steps = 0;
    for (let event = 0; event < events; event++) queue.put(counted(5), event);
    for (let event = 0; event < events; event++) queue.take();
    const most = 8 * Math.log2(2 * events);
    t.ok(steps / events < most, `${steps / events} steps per event, ${most} are few`);
  }
});
