/** The clock that stands still with the process, and timers that wait for it. */
import t from 'tap';
import { seededRandom } from '../../../src/core/random.js';
import {
  createClockMemory,
  livingClock,
  livingTimers,
  STANDSTILL_MS,
} from '../../../src/system/living_clock.js';
import { FakeTime } from '../../support/fake_time.js';
import { seed } from '../../support/seed.js';

/** Where the counters of milliseconds pass 2^31 and 2^32. */
const STARTS = [0, 1_000.5, 2 ** 31 - 5_000, 2 ** 32 - 5_000, 2 ** 40 + 0.25];

t.test(`time that some thread lived counts, gaps of all do not (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const startMs of STARTS) {
    let realMs = startMs;
    const memory = createClockMemory(startMs);
    const source = { nowMs: () => realMs, wallMs: () => 0 };
    const threads = [1, 2, 3].map(() => livingClock(source, memory));
    let livedMs = startMs;
    let stoodMs = 0;
    let first = true;
    for (let step = 0; step < 2_000; step++) {
      const isGap = random.next() < 0.05 && !first;
      const stepMs = isGap ? STANDSTILL_MS + 300 + random.next() * 10_000 : random.next() * 1_000;
      first = false;
      realMs += stepMs;
      if (!isGap) livedMs += stepMs;
      const clock = threads[Math.floor(random.next() * 3)] ?? source;
      const nowMs = clock.nowMs();
      if (isGap) {
        // What is noted may be a quarter of a second old.
        stoodMs = realMs - nowMs;
        t.ok(Math.abs(livedMs - nowMs) <= 250 + 1, `step ${step}: ${livedMs - nowMs}`);
        livedMs = nowMs;
      }
      for (const other of threads) t.ok(Math.abs(other.nowMs() - livedMs) < 1e-3, 'all agree');
      t.ok(Math.abs((threads[0]?.stillMs?.() ?? -1) - stoodMs) < 1);
      if (t.counts.fail > 0) return;
    }
  }
});

t.test('a timer that fires early, after a standstill, waits for what is left', async (t) => {
  const time = new FakeTime();
  let stillMs = 0;
  const clock = { nowMs: () => time.nowMs() - stillMs, wallMs: () => 0 };
  const timers = livingTimers(time, clock);
  const fired: string[] = [];
  timers.after(1_000, () => fired.push('first'));
  timers.after(5_000, () => fired.push('second')).cancel();
  const third = timers.after(1_500, () => fired.push('third'));
  await time.pass(400);
  stillMs = 8_000;
  await time.pass(8_000);
  t.same(fired, [], 'nothing is due');
  third.cancel();
  await time.pass(590);
  t.same(fired, []);
  await time.pass(20);
  t.same(fired, ['first']);
  await time.pass(20_000);
  t.same(fired, ['first'], 'what was cancelled stays so, set anew or not');
});
