/** How dials share the tries at a unix socket that has no room. */
import t from 'tap';
import { BacklogWaiters, FIRST_PAUSE_MS, nextPauseMs } from '../../src/core/backlog.js';
import { FakeTime } from '../support/fake_time.js';

const SECONDS = 5;

/** Tries of `count` waiters that find no room, per second. */
async function triesPerSecond(count: number): Promise<number> {
  const time = new FakeTime();
  const waiters = new BacklogWaiters((delayMs, then) => void time.after(delayMs, then));
  let tries = 0;
  const attempt = (number: number, pauseMs: number): void => {
    tries++;
    waiters.wait(pauseMs, number, () => attempt(number, nextPauseMs(pauseMs)));
  };
  for (let number = 0; number < count; number++) attempt(number, FIRST_PAUSE_MS);
  await time.pass(1_000 * SECONDS);
  return tries / SECONDS;
}

t.test('one that waits tries many times per second', async (t) => {
  const tries = await triesPerSecond(1);
  t.ok(tries > 10 && tries < 40, `${tries} per second`);
});

t.test('a thousand that wait do not try more often than a hundred', async (t) => {
  const hundred = await triesPerSecond(100);
  const thousand = await triesPerSecond(1_000);
  t.ok(hundred > 1_000 && hundred < 2_500, `100 try ${hundred} times per second`);
  t.ok(thousand < 2_500, `1,000 try ${thousand} times per second`);
});
