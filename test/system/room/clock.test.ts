/** The real clock agrees between threads and with CLOCK_MONOTONIC. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { monotonicUsec, systemClock } from '../../../src/system/clock.js';

t.test('a worker thread reads the same time', async (t) => {
  const url = new URL('../../../src/system/clock.js', import.meta.url);
  const source = `import { parentPort } from 'node:worker_threads';
    import { systemClock } from '${url}';
    parentPort.postMessage(systemClock.nowMs());`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const before = systemClock.nowMs();
  const [there] = await once(worker, 'message');
  const after = systemClock.nowMs();
  t.ok(there >= before - 1, `${there} is not before ${before}`);
  t.ok(there <= after + 1, `${there} is not after ${after}`);
  await worker.terminate();
});

t.test('time never goes back', async (t) => {
  let last = systemClock.nowMs();
  let backwards = 0;
  for (let i = 0; i < 10_000; i++) {
    const now = systemClock.nowMs();
    if (now < last) backwards++;
    last = now;
  }
  t.equal(backwards, 0);
});

t.test('milliseconds and systemd microseconds give the same time', async (t) => {
  const before = systemClock.nowMs();
  const between = Number(monotonicUsec()) / 1000;
  const after = systemClock.nowMs();
  t.ok(before - 1 <= between && between <= after + 1, `${before} ${between} ${after}`);
});

t.test('wall time is the time of day', async (t) => {
  const before = Date.now();
  const wall = systemClock.wallMs();
  t.ok(before <= wall && wall <= Date.now());
});
