/** SIGTERM lets sessions finish; a second one does not wait. */
import t, { type Test } from 'tap';
import { accessLine } from '../support/access_lines.js';
import { startOperated } from '../support/ctl.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, nowMs, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { serviceText } from '../support/settings.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

t.test('SIGTERM lets open sessions finish, accepts none, and ends with 0', async (t) => {
  const { daemon, port, wire } = await withSession(t, '20s');
  t.equal((await daemon.get('/ready')).status, 200);
  daemon.signal('SIGTERM');
  await eventually('the listener is closed', async () => {
    const late = await tryDial({ port });
    if (typeof late !== 'string') late.socket.destroy();
    return late === 'ECONNREFUSED' ? true : undefined;
  });
  t.equal((await daemon.get('/ready')).status, 503, 'not ready from the moment a stop begins');
  t.equal((await daemon.get('/healthz')).status, 200, 'but alive');
  await wire.send('still here');
  t.equal(await wire.readText(10), 'still here');
  wire.finish();
  t.equal((await wire.readAll()).how, 'fin');
  t.same(await within('the end', daemon.exited, 3_000), { code: 0, signal: null });
});

t.test('what has not finished by shutdown_timeout is closed, and the exit code is 0', async (t) => {
  const { daemon, wire } = await withSession(t, '1s');
  const beganMs = nowMs();
  daemon.signal('SIGTERM');
  await wire.readAll();
  wire.finish();
  const line = await accessLine(daemon, 'the session', () => true);
  t.match(line.outcome, { by: 'sluice', cause: 'shutdown' });
  t.same(await daemon.exited, { code: 0, signal: null });
  const tookMs = nowMs() - beganMs;
  t.ok(tookMs > 900 && tookMs < 4_000, `after ${Math.round(tookMs)} ms`);
});

t.test('an unexpected error is logged with its stack and ends it with 1', async (t) => {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({ name: 'echo', backends: echoes }),
    expects: ['internal-error'],
    preload: "process.once('SIGUSR2', () => { throw new Error('broken by a test'); });",
  });
  process.kill(daemon.pid, 'SIGUSR2');
  const told = await daemon.event('internal-error');
  t.match(told['detail'], /^Error: broken by a test\n +at /);
  t.match(told['remedy'], /report/);
  t.same(await within('the end', daemon.exited, 3_000), { code: 1, signal: null });
  t.match(daemon.complaints, /^sluice: Error: broken by a test/m);
});

t.test('a second signal ends it at once', async (t) => {
  for (const [first, second] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
  ] as const) {
    const { daemon, wire } = await withSession(t, '60s');
    daemon.signal(first);
    await daemon.event('stopping');
    const beganMs = nowMs();
    daemon.signal(second);
    await within('the end', daemon.exited, 2_000);
    t.ok(nowMs() - beganMs < 1_000, `${first}, ${second}`);
    await wire.ended;
    // Node.js 20 may spin for ever at its exit over a socket that is destroyed just before.
    wire.socket.destroy();
    await wire.closed;
  }
});

t.test('an order that comes while it stops is refused at once, in a sentence', async (t) => {
  const backends = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends });
  const { daemon, ctl } = await startOperated(t, { toml, shutdownTimeout: '60s' });
  await daemon.backendsUp('echo', 1);
  const backend = `echo/${backends[0]?.address}`;
  t.equal((await ctl('hold', 'echo')).code, 0);
  const waiting = await dial(t, { port: await daemon.port('echo') });
  await daemon.metricSettles('sluice_queue_length', { pool: 'echo' }, (sum) => sum === 1);
  daemon.signal('SIGTERM');
  await daemon.event('stopping');
  for (const order of [
    ['release', 'echo'],
    ['drain', backend],
    ['log-level', 'debug'],
    ['reload'],
  ]) {
    const { code, stderr } = await within(order.join(' '), ctl(...order), 5_000);
    t.match({ code, stderr }, { code: 1, stderr: /sluice is stopping, and / }, order.join(' '));
  }
  t.match(await ctl('status'), { code: 0, stdout: /stopping/ }, 'requests are answered');
  daemon.signal('SIGTERM');
  await within('the end', daemon.exited, 2_000);
  await waiting.ended;
  waiting.socket.destroy();
  await waiting.closed;
});

t.test('without sessions SIGTERM and SIGINT end it at once with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const echoes = await startEchoes(t, 1);
    const daemon = await startDaemon(t, {
      access: 'all',
      toml: serviceText({ name: 'echo', backends: echoes }),
    });
    const beganMs = nowMs();
    daemon.signal(signal);
    t.same(await daemon.exited, { code: 0, signal: null });
    t.ok(nowMs() - beganMs < 2_000);
    t.equal(daemon.complaints, '');
  }
});

async function withSession(
  t: Test,
  shutdownTimeout: string,
): Promise<{ readonly daemon: Daemon; readonly port: number; readonly wire: Wire }> {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    access: 'all',
    workers: 2,
    shutdownTimeout,
    toml: serviceText({ name: 'echo', backends: echoes }),
  });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const wire = await dial(t, { port });
  await wire.send('hello');
  t.equal(await wire.readText(5), 'hello');
  return { daemon, port, wire };
}
