/** The looks of the main thread, and how a rest between them ends. */
import t from 'tap';
import type { LookPace, NextLook } from '../../src/control/look_pace.js';
import { Looks } from '../../src/control/looks.js';
import { FakeTime } from '../support/fake_time.js';

function bench() {
  const time = new FakeTime();
  const looks: number[] = [];
  const rests: number[] = [];
  const now: { pace: NextLook; isOver: boolean } = {
    pace: { delayMs: 10_000, kind: 'at rest' },
    isOver: false,
  };
  const pace: Pick<LookPace, 'wakes' | 'next'> = { wakes: () => {}, next: () => now.pace };
  const clock = {
    nowMs: () => time.nowMs(),
    wallMs: () => 0,
    rests: (forMs: number) => void rests.push(forMs),
  };
  const all = new Looks({
    clock,
    timers: time,
    pace,
    look: (nowMs) => looks.push(nowMs),
    isOver: () => now.isOver,
  });
  return { time, looks, rests, now, all };
}

t.test('a rest ends when a worker stirs, once', async (t) => {
  const { time, looks, rests, now, all } = bench();
  all.begin();
  t.same(rests.splice(0), [10_000], 'the clock knows that it is not read');
  await time.pass(3_000);
  now.pace = { delayMs: 1_000, kind: 'at work' };
  all.soon();
  all.soon();
  await time.pass(2_000);
  t.same(looks, [0, 3_250, 4_250]);
  t.same(rests, [0, 0, 0]);
  t.equal(time.pending, 1);
});

t.test('at work a look comes when it is due, and none when all is over', async (t) => {
  const { time, looks, now, all } = bench();
  now.pace = { delayMs: 1_000, kind: 'at work' };
  all.begin();
  await time.pass(500);
  all.soon();
  await time.pass(500);
  t.same(looks, [0, 1_000]);
  now.isOver = true;
  await time.pass(5_000);
  t.same(looks, [0, 1_000]);
  t.equal(time.pending, 0);
});
