import t from 'tap';
import type { Timer } from '../../src/core/clock.js';
import { below, seededRandom } from '../../src/core/random.js';
import { Agenda } from '../../src/health/agenda.js';
import { FakeTime } from '../support/fake_time.js';
import { seed } from '../support/seed.js';

t.comment(`SEED=${seed}`);

const ROUNDS = 50;

t.test('each is called at its time and in order, whatever is set and cancelled', async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const time = new FakeTime();
    const agenda = new Agenda(time, time);
    const expected = new Map<number, number>();
    const called: number[] = [];
    const timers: Timer[] = [];
    for (let step = 0; step < 60; step++) {
      if (below(random, 3) > 0 || timers.length === 0) {
        const number = timers.length;
        const dueMs = time.nowMs() + below(random, 40) / 4;
        expected.set(number, dueMs);
        const timer = agenda.after(dueMs - time.nowMs(), () => {
          called.push(number);
          t.equal(time.nowMs(), dueMs);
        });
        timers.push(timer);
      } else {
        const number = below(random, timers.length);
        timers[number]?.cancel();
        if (!called.includes(number)) expected.delete(number);
      }
      if (below(random, 8) === 0) await time.pass(below(random, 4));
    }
    await time.pass(20);
    const inOrder = [...expected].sort(([a, aMs], [b, bMs]) => aMs - bMs || a - b);
    t.same(
      called,
      inOrder.map(([number]) => number),
    );
    t.equal(time.pending, 0, 'no timer is left');
  }
});

t.test('those of one moment come in the order in which they were set', async (t) => {
  const time = new FakeTime();
  const agenda = new Agenda(time, time);
  const called: number[] = [];
  for (let i = 0; i < 20; i++) agenda.after(5, () => called.push(i));
  await time.pass(5);
  t.same(
    called,
    Array.from({ length: 20 }, (_, i) => i),
  );
});

t.test('one that is set or cancelled by another keeps to its time', async (t) => {
  const time = new FakeTime();
  const agenda = new Agenda(time, time);
  const called: string[] = [];
  const never = agenda.after(2, () => called.push('never'));
  agenda.after(1, () => {
    never.cancel();
    agenda.after(0, () => called.push(`at once: ${time.nowMs()}`));
    agenda.after(1, () => called.push(`next: ${time.nowMs()}`));
  });
  await time.pass(10);
  t.same(called, ['at once: 1', 'next: 2']);
});

t.test('thousands share a timer of the system, and none is early or late by a tick', async (t) => {
  const time = new FakeTime();
  let set = 0;
  const agenda = new Agenda(time, {
    after: (delayMs, callback) => {
      set++;
      return time.after(delayMs, callback);
    },
  });
  const random = seededRandom(seed);
  const [backends, intervalMs] = [2_000, 500];
  let late = 0;
  let calls = 0;
  const again = (dueMs: number): void => {
    agenda.after(dueMs - time.nowMs(), () => {
      calls++;
      late = Math.max(late, time.nowMs() - dueMs);
      if (time.nowMs() < dueMs) t.fail('it is early');
      again(dueMs + intervalMs);
    });
  };
  for (let i = 0; i < backends; i++) again(random.next() * intervalMs);
  await time.pass(2_000);
  t.ok(calls > 7_000, `${calls} calls`);
  t.ok(set <= 2_000 / 4 + 20, `${set} timers`);
  t.ok(late <= 4, `${late} ms late`);
});

t.test('what breaks in one holds up no other', async (t) => {
  const time = new FakeTime();
  const due: (() => void)[] = [];
  const agenda = new Agenda(time, {
    after: (_, callback) => {
      due.push(callback);
      return { cancel: () => {} };
    },
  });
  let called = 0;
  agenda.after(0, () => {
    throw new Error('a defect');
  });
  agenda.after(0, () => called++);
  t.throws(() => due.shift()?.(), /a defect/);
  due.shift()?.();
  t.equal(called, 1);
});
