/**
 * 500 new connections per second and 100 long sessions with checked bytes, over everything that
 * ends a process or a thread: which sessions are cut, and that no client is refused. The test
 * keeps the listening socket, as systemd does; with the real one see systemd.test.ts and
 * room/systemd_upgrade.test.ts.
 */
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { type Operated, startOperated } from '../support/ctl.js';
import { type DaemonSetup, startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tally } from '../support/load/short_connections.js';
import { type UnderLoad, underLoad } from '../support/load/under_load.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { doorsOf, type Upgraded } from '../support/upgrades.js';
import { LOSE_WORKER, SIZES_VARIABLE } from '../torture/every_thread.js';

const LONG = 100;
const BLOCK_EVERY_MS = 100;

interface Service extends Operated {
  readonly setup: DaemonSetup;
  readonly toml: string;
  /** `act` under both loads; `cut`: what became of the long sessions. */
  during<T>(act: () => Promise<T>): Promise<UnderLoad<T> & { readonly cut: readonly string[] }>;
}

/** A daemon at a socket that outlives it, with sessions. */
async function start(t: Test, more: Partial<DaemonSetup> = {}): Promise<Service> {
  const backends = await startEchoes(t, 2);
  const port = await freePort();
  const fd = systemdSocket(t, port);
  const toml =
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}`, lines: 'activation = "web"' }) +
    poolText({ name: 'echo', policy: 'least-connections', backends });
  const passed = { names: ['web'], descriptors: [fd] };
  const setup = { toml, workers: 2, passed, shutdownTimeout: '500ms', ...more };
  const operated = await startOperated(t, setup);
  await operated.daemon.backendsUp('echo', 2);
  const during = async <T>(act: () => Promise<T>) => {
    const long = await openStreams({ port }, LONG, BLOCK_EVERY_MS);
    const done = await underLoad({ port }, act);
    return { ...done, cut: await finishStreams(long) };
  };
  return { ...operated, setup, toml, during };
}

function systemdSocket(t: Test, port: number): number {
  const loaded = loadKernel();
  const kernel = present(loaded.ok ? loaded.value : null, 'foreign calls work here');
  const opened = openListeningSocket(kernel, {
    local: ipEndpoint(4, '127.0.0.1', port),
    protocol: 'tcp',
    reusePort: 'exclusive',
    backlog: 4096,
  });
  const { fd } = present(opened.ok ? opened.value : null, 'a socket can be opened');
  t.teardown(() => closeDescriptor(kernel, fd));
  return fd;
}

t.test('a restart refuses no client; what is not over in shutdown_timeout is cut', async (t) => {
  const { daemon, setup, during } = await start(t);
  const { done, failures, cut } = await during(async () => {
    t.same(await daemon.stop(), { code: 0, signal: null });
    await startDaemon(t, setup);
  });
  t.same(tally(failures), {}, `${done} new connections`);
  t.equal(cut.length, LONG);
});

t.test('a kill refuses no client; what the process had is cut', async (t) => {
  const { daemon, setup, during } = await start(t);
  const { done, refused, cut } = await during(async () => {
    await daemon.kill();
    await startDaemon(t, setup);
  });
  t.same(tally(refused), {}, `${done} new connections`);
  t.equal(cut.length, LONG);
});

t.test('the crash of a worker refuses no client; what the worker had is cut', async (t) => {
  const { daemon, during } = await start(t, {
    everyThread: new URL('../torture/every_thread.js', import.meta.url),
    env: { [SIZES_VARIABLE]: '{}' },
    expects: ['worker-lost'],
  });
  const { done, refused } = await during(async () => {
    const replaced = daemon.nextEvent('worker-started');
    daemon.signal(LOSE_WORKER);
    await daemon.event('worker-lost');
    await replaced;
  });
  t.same(tally(refused), {}, `${done} new connections`);
});

t.test('an upgrade, also a second one, refuses and cuts off no client', async (t) => {
  const { daemon, ask, during } = await start(t);
  const doors = doorsOf(daemon.pid).toSorted();
  let before = daemon.pid;
  for (let times = 0; times < 2; times++) {
    const left = daemon.event('left', ({ pid }) => pid === before);
    const { done, failures, cut, result } = await during(() => ask<Upgraded>('upgrade'));
    t.not(result.pid, before);
    t.same(tally(failures), {}, `${done} new connections`);
    t.same(cut, []);
    await left;
    t.same(doorsOf(result.pid).toSorted(), doors, 'it has what the first one had, and no more');
    before = result.pid;
  }
});

t.test('an upgrade that fails refuses and cuts off no client', async (t) => {
  const { daemon, ctl, during, toml } = await start(t);
  const { done, failures, cut } = await during(async () => {
    daemon.write(`${toml}\npolizy = 1\n`);
    t.match(await ctl('upgrade'), { code: 1, stderr: /polizy/ });
    t.match(await ctl('upgrade', '--timeout', '1ms'), { code: 1, stderr: /not ready in 1 ms/ });
  });
  t.same(tally(failures), {}, `${done} new connections`);
  t.same(cut, []);
});
