/** What operators and health decide after an upgrade holds for the sessions of the old process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { askControl, rawControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { within } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText, QUICK_HEALTH } from '../support/settings.js';
import { flawedBy, type Upgraded } from '../support/upgrades.js';
import { tryDial, type Wire } from '../support/wire.js';

async function start(t: Test, [backend, probed]: readonly EchoBackend[], preload = '') {
  const port = await freePort();
  const toml =
    listenerText({ pool: 'app', bind: `127.0.0.1:${port}` }) +
    poolText({
      name: 'app',
      backends: [{ address: String(backend?.address), name: 'one' }],
      lines: 'on_down = "close"\nmax_connections = 100\nqueue_size = 10\nqueue_timeout = "60s"',
      health: `${QUICK_HEALTH}port = ${probed?.port}`,
    });
  const operated = await startOperated(t, { toml, workers: 2, preload });
  await operated.daemon.backendsUp('app', 1);
  return { ...operated, port };
}

/** A session that has said something. */
async function session(t: Test, port: number): Promise<Wire> {
  const wire = await tryDial({ port });
  if (typeof wire === 'string') throw new Error(`connect: ${wire}`);
  t.teardown(() => wire.socket.destroy());
  await wire.send('x');
  return wire;
}

/** They wait more than they work. */
t.jobs = 2;

t.test(
  'a hold is released for sessions that wait in the old process, too',
  { buffered: true },
  async (t) => {
    const operated = await start(t, await startEchoes(t, 2));
    const { daemon, ctl, ask, port } = operated;
    t.equal((await ctl('hold', 'app')).code, 0);
    const before = await session(t, port);
    await daemon.metricSettles('sluice_queue_length', {}, (sum) => sum === 1);
    await ask<Upgraded>('upgrade');
    const after = await session(t, port);
    t.equal((await ctl('release', 'app')).code, 0);
    for (const wire of [before, after]) t.equal(await wire.readText(1), 'x');
    before.finish();
    t.match(await before.readAll(), { how: 'fin' });
    t.match(await daemon.event('left'), { pid: daemon.pid, sessions: 0 });
  },
);

t.test(
  'a wait in the old process ends by what health finds afterwards',
  { buffered: true },
  async (t) => {
    const [first, second] = await startEchoes(t, 2);
    if (first === undefined || second === undefined) throw new Error('two were started');
    await second.kill();
    const port = await freePort();
    const toml =
      listenerText({ pool: 'app', bind: `127.0.0.1:${port}` }) +
      poolText({ name: 'app', backends: [first, second], health: QUICK_HEALTH });
    const { daemon, ctl, ask } = await startOperated(t, { toml, workers: 2 });
    const found = (event: string, { address }: EchoBackend) =>
      daemon.event(event, ({ backend }) => backend === address);
    await Promise.all([found('backend-up', first), found('backend-down', second)]);
    t.equal((await ctl('hold', 'app')).code, 0);
    const wire = await session(t, port);
    await daemon.metricSettles('sluice_queue_length', {}, (sum) => sum === 1);
    await ask<Upgraded>('upgrade');
    await Promise.all([first.kill(), second.start()]);
    await Promise.all([found('backend-down', first), found('backend-up', second)]);
    t.equal((await ctl('release', 'app')).code, 0);
    t.equal(await wire.readText(1), 'x');
  },
);

t.test(
  'a hold ends in time in the old process, if the new one has ended',
  { buffered: true },
  async (t) => {
    const { daemon, ctl, ask, port } = await start(t, await startEchoes(t, 2));
    t.equal((await ctl('hold', 'app')).code, 0);
    const wire = await session(t, port);
    await daemon.metricSettles('sluice_queue_length', {}, (sum) => sum === 1);
    const { pid } = await ask<Upgraded>('upgrade');
    t.equal((await ctl('hold', 'app', '--for', '2s')).code, 0);
    process.kill(pid, 'SIGKILL');
    t.equal(await wire.readText(1), 'x');
  },
);

t.test(
  'a raised cap is raised for sessions that wait in the old process, too',
  { buffered: true },
  async (t) => {
    const { daemon, ctl, ask, port } = await start(t, await startEchoes(t, 2));
    t.equal((await ctl('cap', 'app/one', '1')).code, 0);
    const first = await session(t, port);
    t.equal(await first.readText(1), 'x');
    const second = await session(t, port);
    await daemon.metricSettles('sluice_queue_length', {}, (sum) => sum === 1);
    await ask<Upgraded>('upgrade');
    t.equal((await ctl('cap', 'app/one', '2')).code, 0);
    t.equal(await second.readText(1), 'x');
    t.equal(daemon.eventsNamed('override-dropped').length, 0);
  },
);

t.test(
  'what is asked while another process takes over is asked again there',
  { buffered: true },
  async (t) => {
    const flaw = join(tempFolder(t), 'flaw');
    const backends = await startEchoes(t, 2);
    const { daemon, socket, ctl } = await start(t, backends, flawedBy(flaw));
    writeFileSync(flaw, 'waits');
    const upgrade = ctl('upgrade');
    await daemon.event('upgrading');
    const drain = '{"backends":["app/one"]}';
    const head = 'POST /v1/drain HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\nContent-Length: ';
    const raw = rawControl(socket, `${head}${drain.length}\r\n\r\n${drain}`);
    const asked = ctl('weight', 'app/one', '50%');
    // The request before it was heard by the same process.
    await askControl(socket, 'GET', '/v1/status');
    writeFileSync(flaw, '');
    t.equal((await upgrade).code, 0);
    t.match(
      await raw,
      /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*"urn:sluice:problem:handed-over"/s,
    );
    t.equal((await asked).code, 0);
    const { body: after } = await askControl(socket, 'GET', '/v1/overrides');
    t.match(after, { items: [{ kind: 'weight' }] });
    t.equal((after as { items: readonly object[] }).items.length, 1, 'nothing was done before');
  },
);

t.test(
  'a kill of all at a backend ends sessions of the old process, too',
  { buffered: true },
  async (t) => {
    const { daemon, ctl, ask, port } = await start(t, await startEchoes(t, 2));
    const wire = await session(t, port);
    t.equal(await wire.readText(1), 'x');
    await ask<Upgraded>('upgrade');
    t.equal((await ctl('kill', '--backend', 'app/one')).code, 0);
    await within('the end of the session', wire.ended);
    t.match(await daemon.event('sessions-killed', ({ sessions }) => sessions === 1), { by: /./ });
    await daemon.event('left');
  },
);

t.test(
  'a backend that is found down ends its sessions of the old process, too',
  { buffered: true },
  async (t) => {
    const [backend, probed] = await startEchoes(t, 2);
    if (backend === undefined || probed === undefined) throw new Error('two were started');
    const { daemon, ask, port } = await start(t, [backend, probed]);
    const wire = await session(t, port);
    t.equal(await wire.readText(1), 'x');
    await ask<Upgraded>('upgrade');
    await probed.kill();
    await within('the end of the session', wire.ended);
    t.match(await daemon.event('left'), { sessions: 0 });
  },
);
