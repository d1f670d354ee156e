import t from 'tap';
import { Slots } from '../../src/health/slots.js';

t.test('at most the limit is in flight, and the rest begins in order', async (t) => {
  const slots = new Slots(2);
  const begun: number[] = [];
  for (let i = 0; i < 5; i++) slots.acquire(() => begun.push(i));
  t.same(begun, [0, 1]);
  slots.release();
  t.same(begun, [0, 1, 2]);
  t.equal(slots.busy, 2);
  slots.release();
  slots.release();
  t.same(begun, [0, 1, 2, 3, 4]);
  slots.release();
  slots.release();
  t.equal(slots.busy, 0);
});

t.test('one that is withdrawn never begins', async (t) => {
  const slots = new Slots(1);
  const begun: string[] = [];
  slots.acquire(() => begun.push('first'));
  const second = (): void => void begun.push('second');
  slots.acquire(second);
  slots.acquire(() => begun.push('third'));
  slots.withdraw(second);
  slots.release();
  t.same(begun, ['first', 'third']);
});

t.test('idle resolves when the last attempt has given its slot back', async (t) => {
  const slots = new Slots(1);
  await slots.idle();
  slots.acquire(() => {});
  let idle = false;
  const waiting = slots.idle().then(() => {
    idle = true;
  });
  await Promise.resolve();
  t.equal(idle, false);
  slots.release();
  await waiting;
  t.equal(idle, true);
});

t.test('a slot that was not taken cannot be released', async (t) => {
  t.throws(() => new Slots(1).release(), /released once/);
});
