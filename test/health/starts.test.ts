import t from 'tap';
import { Starts } from '../../src/health/starts.js';
import { FakeTime } from '../support/fake_time.js';

function startsOf(inFlight: number, time = new FakeTime()): Starts {
  return new Starts({ clock: time, timers: time, inFlight });
}

t.test('at most the limit is in flight, and the rest begins in order', async (t) => {
  const starts = startsOf(2);
  const begun: number[] = [];
  for (let i = 0; i < 5; i++) starts.acquire(() => begun.push(i), 'settled');
  t.same(begun, [0, 1]);
  starts.release();
  t.same(begun, [0, 1, 2]);
  t.equal(starts.busy, 2);
  starts.release();
  starts.release();
  t.same(begun, [0, 1, 2, 3, 4]);
  starts.release();
  starts.release();
  t.equal(starts.busy, 0);
});

t.test('one that is withdrawn never begins', async (t) => {
  const starts = startsOf(1);
  const begun: string[] = [];
  starts.acquire(() => begun.push('first'), 'settled');
  const second = (): void => void begun.push('second');
  starts.acquire(second, 'settled');
  starts.acquire(() => begun.push('third'), 'settled');
  starts.withdraw(second);
  starts.release();
  t.same(begun, ['first', 'third']);
});

t.test('idle resolves when the last attempt has given its slot back', async (t) => {
  const starts = startsOf(1);
  await starts.idle();
  starts.acquire(() => {}, 'settled');
  let idle = false;
  const waiting = starts.idle().then(() => {
    idle = true;
  });
  await Promise.resolve();
  t.equal(idle, false);
  starts.release();
  await waiting;
  t.equal(idle, true);
});

t.test('a slot that was not taken cannot be released', async (t) => {
  t.throws(() => startsOf(1).release(), /released once/);
});

t.test('a limit per second spaces them evenly, in the order in which they came', async (t) => {
  const time = new FakeTime();
  const starts = startsOf(1000, time);
  starts.limit(100);
  const at: [number, number][] = [];
  for (let i = 0; i < 50; i++) starts.acquire(() => at.push([i, time.nowMs()]), 'settled');
  await time.pass(1000);
  t.same(
    at,
    Array.from({ length: 50 }, (_, i) => [i, 10 * i]),
  );
  t.equal(time.pending, 0, 'no timer is left');
});

t.test('a target between verdicts goes first, and yet no settled one waits for ever', async (t) => {
  const time = new FakeTime();
  const starts = startsOf(1000, time);
  starts.limit(100);
  const order: string[] = [];
  for (let i = 0; i < 4; i++) starts.acquire(() => order.push(`settled ${i}`), 'settled');
  for (let i = 0; i < 8; i++) starts.acquire(() => order.push(`first ${i}`), 'between-verdicts');
  await time.pass(1000);
  t.same(order, [
    'settled 0', // It came when no other did.
    ...['first 0', 'first 1', 'first 2', 'settled 1'],
    ...['first 3', 'first 4', 'first 5', 'settled 2'],
    ...['first 6', 'first 7', 'settled 3'],
  ]);
});

t.test('what was missed while a timer was late is made up for, up to 10 ms of it', async (t) => {
  const time = new FakeTime();
  const starts = startsOf(100_000, time);
  starts.limit(1000);
  await time.pass(60_000);
  let begun = 0;
  for (let i = 0; i < 100; i++) starts.acquire(() => begun++, 'settled');
  t.equal(begun, 11, 'ten that were missed, and the one that is due');
  await time.pass(20);
  t.equal(begun, 31);
});

t.test('a limit that is lifted or withdrawn lets go and leaves no timer', async (t) => {
  const time = new FakeTime();
  const starts = startsOf(1000, time);
  starts.limit(1);
  const begun: number[] = [];
  const begins = [0, 1, 2].map((i) => () => void begun.push(i));
  for (const begin of begins) starts.acquire(begin, 'settled');
  t.same(begun, [0]);
  for (const begin of begins) starts.withdraw(begin);
  t.equal(time.pending, 0);
  for (const begin of begins) starts.acquire(begin, 'settled');
  t.same(begun, [0]);
  starts.limit(0);
  t.same(begun, [0, 0, 1, 2]);
});
