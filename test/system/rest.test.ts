/** A daemon that has nothing to do sleeps, and is there at once when a client comes. */
import t from 'tap';
import { ENGINE, startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { listenerText, poolText } from '../support/settings.js';
import { allSlept, wakeUps } from '../support/threads.js';

/** Longer than what counts as a standstill when it was not announced. */
const SLEPT_MS = 3_500;
/** Looks of a main thread at work take a second each, those of one at rest ten. */
const LOOKS = 5;
const AT_WORK_MS = 25_000;

t.test(`${ENGINE}: no thread wakes up at rest, and a client that comes is served`, async (t) => {
  const backends = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    workers: 2,
    toml:
      listenerText({ pool: 'echo' }) +
      poolText({ name: 'echo', backends, health: 'probe = "none"' }),
  });
  const port = await daemon.port('echo');
  t.equal(await exchangeOnce({ port }), null);
  await allSlept(daemon.pid, SLEPT_MS);
  const fromMs = nowMs();
  t.equal(await exchangeOnce({ port }), null);
  const before = wakeUps(daemon.pid, daemon.pid);
  await eventually(
    'the main thread looks',
    () => wakeUps(daemon.pid, daemon.pid) >= before + LOOKS || undefined,
  );
  t.ok(nowMs() - fromMs < AT_WORK_MS, 'the main thread is at work again');
  t.same(daemon.eventsNamed('stood-still'), [], 'sleep is no standstill');
});
