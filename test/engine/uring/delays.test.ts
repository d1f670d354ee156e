/** What the engine does later comes in order of time, and costs little whatever else waits. */
import t from 'tap';
import { Delays } from '../../../src/engine/uring/delays.js';

const LENGTHS_MS = [5_000, 5, 100, 1_000, 5, 250];

t.test('delays of any lengths end in order of time, and at their time', async (t) => {
  const loop = { nowMs: 0 };
  const delays = new Delays(loop);
  const ran: number[] = [];
  for (const lengthMs of LENGTHS_MS) delays.later(lengthMs, () => ran.push(lengthMs));
  while (Number.isFinite(delays.dueMs())) {
    loop.nowMs = delays.dueMs() - 1;
    const before = ran.length;
    delays.after();
    t.equal(ran.length, before, 'nothing comes early');
    loop.nowMs++;
    delays.after();
    t.equal(ran.at(-1), loop.nowMs);
  }
  t.same(ran, [5, 5, 100, 250, 1_000, 5_000]);
});

t.test('what is delayed from within a delay comes in its turn', async (t) => {
  const loop = { nowMs: 0 };
  const delays = new Delays(loop);
  let times = 0;
  const again = (): void => {
    if (++times < 3) delays.later(10, again);
  };
  delays.later(10, again);
  for (loop.nowMs = 10; times < 3; loop.nowMs += 10) delays.after();
  t.equal(loop.nowMs, 40);
  t.equal(delays.dueMs(), Number.POSITIVE_INFINITY);
});

// Walking past those that wait longer, this took minutes.
t.test('many short delays beside many long ones take no time to speak of', async (t) => {
  const loop = { nowMs: 0 };
  const delays = new Delays(loop);
  let ran = 0;
  const again = (): void => {
    ran++;
    delays.later(5, again);
  };
  const pairs = 30_000;
  for (let pair = 0; pair < pairs; pair++) {
    delays.later(5_000, () => {});
    delays.later(5, again);
  }
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    loop.nowMs += 5;
    delays.after();
  }
  t.equal(ran, pairs * rounds);
});
