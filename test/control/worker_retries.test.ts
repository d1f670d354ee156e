import t from 'tap';
import {
  FIRST_RESTART_MS,
  LONGEST_RESTART_MS,
  SETTLED_MS,
  TOLD_EVERY_MS,
  WorkerRetries,
} from '../../src/control/worker_retries.js';

t.test('attempts come at growing distances up to a limit', async (t) => {
  const retries = new WorkerRetries();
  retries.serves(0);
  const pauses = [retries.lost(SETTLED_MS)];
  for (let i = 0; i < 6; i++) pauses.push(retries.failed('no memory', SETTLED_MS).pauseMs);
  t.same(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  t.equal(Math.max(...pauses), LONGEST_RESTART_MS);
});

t.test('a thread that ends as soon as it serves does not spin', async (t) => {
  const retries = new WorkerRetries();
  let nowMs = 0;
  const pauses = Array.from({ length: 6 }, () => {
    retries.serves(nowMs);
    nowMs += SETTLED_MS - 1;
    return retries.lost(nowMs);
  });
  t.same(pauses, [250, 500, 1000, 2000, 4000, 5000]);
  retries.serves(nowMs);
  t.equal(retries.lost(nowMs + SETTLED_MS), FIRST_RESTART_MS, 'one that has settled is a new case');
});

t.test('a failure is reported at first, when its reason changes, and every minute', async (t) => {
  const retries = new WorkerRetries();
  const tells = (sentence: string, nowMs: number) => retries.failed(sentence, nowMs).tell;
  t.equal(tells('a', 0), 'now');
  t.equal(tells('a', TOLD_EVERY_MS - 1), 'not again');
  t.equal(tells('b', TOLD_EVERY_MS - 1), 'now');
  t.equal(tells('b', TOLD_EVERY_MS), 'not again');
  t.equal(tells('b', 2 * TOLD_EVERY_MS - 1), 'now');
  t.same([retries.problem, retries.failures], ['b', 5]);
  retries.serves(2 * TOLD_EVERY_MS);
  t.same([retries.problem, retries.failures], [null, 0]);
  t.equal(tells('b', 2 * TOLD_EVERY_MS), 'now', 'after it has served it is news');
});
