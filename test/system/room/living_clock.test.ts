/** The clock that stands still with the process, and timers that wait for it. */
import t from 'tap';
import { seededRandom } from '../../../src/core/random.js';
import {
  createClockMemory,
  livingClock,
  livingTimers,
  PAUSE_MS,
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
      const stepMs = isGap ? PAUSE_MS + 300 + random.next() * 10_000 : random.next() * 1_000;
      first = false;
      realMs += stepMs;
      if (!isGap) livedMs += stepMs;
      const clock = threads[Math.floor(random.next() * 3)] ?? source;
      const nowMs = clock.nowMs();
      if (isGap) {
        // What is noted may be a quarter of a second old, and no reading falls.
        stoodMs = realMs - nowMs;
        const aheadMs = nowMs - livedMs;
        t.ok(aheadMs >= 0 && aheadMs <= 250 + 2, `step ${step}: ${aheadMs}`);
        livedMs = nowMs;
      }
      for (const other of threads) t.ok(Math.abs(other.nowMs() - livedMs) < 1e-3, 'all agree');
      t.ok(Math.abs((threads[0]?.stillMs?.() ?? -1) - stoodMs) < 1);
      if (t.counts.fail > 0) return;
    }
  }
});

t.test('a rest that was announced is lived, and what comes behind it is not', async (t) => {
  for (const startMs of STARTS) {
    let realMs = startMs;
    const source = { nowMs: () => realMs, wallMs: () => 0 };
    const memory = createClockMemory(startMs);
    const [main, worker] = [livingClock(source, memory), livingClock(source, memory)];
    main.rests?.(8_000);
    realMs += 8_500;
    t.equal(worker.nowMs(), startMs + 8_500);
    main.rests?.(8_000);
    realMs += 8_000 + PAUSE_MS + 60_000;
    const livedMs = worker.nowMs() - startMs;
    t.ok(livedMs >= 16_500 && livedMs < 17_000, `${livedMs} ms`);
    realMs += PAUSE_MS + 1_000;
    t.ok(main.nowMs() - startMs < livedMs + 300, 'a rest is over once');
  }
});

t.test(`no reading of any thread is less than an earlier one (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const startMs of STARTS) {
    let realMs = startMs;
    const move = (): void => {
      if (random.next() < 0.6) realMs += random.next() * 120;
      else if (random.next() < 0.2) realMs += random.next() * 12_000;
    };
    let newestMs = Number.NEGATIVE_INFINITY;
    let depth = 0;
    const memory = createClockMemory(startMs);
    /** Time passes, and other threads run, before and after a thread has read the real clock. */
    const interrupt = (): void => {
      move();
      for (let left = depth < 3 ? Math.floor(random.next() * 3) : 0; left > 0; left--) look();
    };
    const source = {
      nowMs: () => {
        interrupt();
        const nowMs = realMs;
        interrupt();
        return nowMs;
      },
      wallMs: () => 0,
    };
    const threads = [1, 2, 3].map(() => livingClock(source, memory));
    function look(): void {
      depth++;
      const beforeMs = newestMs;
      const nowMs = (threads[Math.floor(random.next() * 3)] ?? source).nowMs();
      if (nowMs < beforeMs) t.fail(`${nowMs} after ${beforeMs}`);
      newestMs = Math.max(newestMs, nowMs);
      depth--;
    }
    for (let step = 0; step < 1_000 && t.counts.fail === 0; step++) look();
    t.ok(realMs - newestMs > 100_000, 'it stood still most of the time');
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
