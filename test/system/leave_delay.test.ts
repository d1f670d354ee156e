/** A stop with `leave_delay`: first readiness fails, then accepting ends, then sessions finish. */
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { serviceText } from '../support/settings.js';
import { dial, tryDial } from '../support/wire.js';

t.test('clients are accepted while none should be sent here; a signal ends that', async (t) => {
  const { daemon, port } = await withDelay(t, '1h');
  t.match(await daemon.get('/ready?listener=echo'), { status: 200 });
  daemon.signal('SIGTERM');
  t.match(await daemon.event('leaving'), { signal: 'SIGTERM', delay_ms: 3_600_000 });
  const verdict = { status: 503, body: /^sluice leaves: it accepts for \d+ s more\n$/ };
  t.match(await daemon.get('/ready'), verdict);
  t.match(await daemon.get('/ready?listener=echo'), verdict, 'for each listener, too');
  t.equal((await daemon.get('/healthz')).status, 200);
  t.match(JSON.parse((await daemon.get('/health?format=json')).body), { phase: 'leaving' });
  daemon.signal('SIGHUP');
  t.match(await daemon.event('signal-ignored'), { signal: 'SIGHUP' }, 'no file is read any more');
  const session = await dial(t, { port });
  await session.send('a');
  t.equal(await session.readText(1), 'a', 'a client that comes is served');

  daemon.signal('SIGTERM');
  await daemon.event('stopping');
  await refuses(port);
  await session.send('b');
  t.equal(await session.readText(1), 'b', 'its sessions may finish');
  daemon.signal('SIGTERM');
  t.same(await within('the end', daemon.exited, 5_000), { code: 0, signal: null });
  await session.ended;
  session.socket.destroy();
  await session.closed;
});

t.test('when the delay is over accepting ends, and sessions finish', async (t) => {
  const { daemon, port } = await withDelay(t, '200ms');
  const session = await dial(t, { port });
  await session.send('a');
  t.equal(await session.readText(1), 'a');
  daemon.signal('SIGTERM');
  await daemon.event('leaving');
  await daemon.event('stopping');
  await refuses(port);
  session.finish();
  t.equal((await session.readAll()).how, 'fin');
  t.same(await within('the end', daemon.exited, 5_000), { code: 0, signal: null });
});

t.test(
  'readiness of one listener: its own verdict, and plain words for another name',
  async (t) => {
    const { daemon } = await withDelay(t, '0s');
    t.match(await daemon.get('/ready?listener=echo'), { status: 200, body: /^ok\n/ });
    const unknown = {
      status: 404,
      body: 'There is no listener "ecko": see sluice ctl listeners.\n',
    };
    t.match(await daemon.get('/ready?listener=ecko'), unknown);
    t.match(await daemon.get('/ready?listener='), { status: 400, body: /^Name a listener/ });
  },
);

async function withDelay(
  t: Test,
  delay: string,
): Promise<{ readonly daemon: Daemon; readonly port: number }> {
  const backends = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    toml: serviceText({ name: 'echo', backends }),
    daemonLines: `leave_delay = "${delay}"`,
    shutdownTimeout: '60s',
  });
  await daemon.backendsUp('echo', 1);
  return { daemon, port: await daemon.port('echo') };
}

async function refuses(port: number): Promise<void> {
  await eventually('the listener is closed', async () => {
    const late = await tryDial({ port });
    if (typeof late !== 'string') late.socket.destroy();
    return late === 'ECONNREFUSED' ? true : undefined;
  });
}
