/** Whose the listening sockets are once another process serves. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCtl, startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { startUdpEchoes, udpClients } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { doorsOf, type Upgraded } from '../support/upgrades.js';
import { tryDial } from '../support/wire.js';

t.test('with the new process the service ends: the old one keeps its sessions only', async (t) => {
  const [echoes, udp, port] = await Promise.all([
    startEchoes(t, 1),
    startUdpEchoes(t, 1, 'tagged'),
    freePort(),
  ]);
  const path = join(tempFolder(t), 'echo.sock');
  const toml =
    listenerText({ pool: 'echo', bind: `0.0.0.0:${port}` }) +
    listenerText({ name: 'local', pool: 'echo', bind: `unix:${path}` }) +
    poolText({ name: 'echo', backends: echoes }) +
    listenerText({ protocol: 'udp', pool: 'dns', bind: `0.0.0.0:${port}` }) +
    poolText({ name: 'dns', backends: udp, health: 'probe = "none"' });
  const { daemon, ask, socket } = await startOperated(t, { toml, workers: 2 });
  await daemon.backendsUp('echo', 1);
  const { address } = await daemon.event('admin-listening');
  const long = await openStreams({ port }, 2, 20);
  // A flow that is owed a reply keeps its socket for a while.
  const [flow] = await udpClients(t, { port }, 1);
  flow?.send('x');
  const { pid } = await ask<Upgraded>('upgrade');
  const streams = () => doorsOf(daemon.pid).filter((door) => !door.startsWith('udp'));
  // Commands are answered before their place closes.
  const none = (doors: readonly string[]) => (doors.length === 0 ? true : undefined);
  await eventually('no socket for streams is left', () => none(streams()));
  await eventually('no socket for datagrams is left', () => none(doorsOf(daemon.pid)));
  process.kill(pid, 'SIGKILL');
  const admin = Number(String(address).split(':').at(-1));
  const at = [{ port }, { port: 0, path }, { port: 0, path: socket }, { port: admin }];
  for (const place of at) {
    await eventually(`nothing is at ${JSON.stringify(place)}`, async () => {
      const wire = await tryDial(place);
      return wire === 'ECONNREFUSED' ? true : undefined;
    });
  }
  const left = daemon.event('left');
  t.same(await finishStreams(long), [], 'no long connection loses a byte');
  t.match(await left, { pid: daemon.pid, sessions: 0 });
});

t.test('paths that the new process serves no more end with the old one', async (t) => {
  const folder = tempFolder(t);
  const at = (name: string): string => join(folder, name);
  const toml = (name: string): string =>
    listenerText({ name: 'local', pool: 'echo', bind: `unix:${at(name)}` }) +
    poolText({ name: 'echo', backends: echoes, health: 'probe = "none"' });
  const echoes = await startEchoes(t, 1);
  const { daemon, ask, socket } = await startOperated(t, { toml: toml('before') });
  const other = `${socket}.other`;
  daemon.write(toml('after'));
  writeFileSync(daemon.file, readFileSync(daemon.file, 'utf8').replace(socket, other));
  await ask<Upgraded>('upgrade');
  for (const path of [at('before'), socket]) {
    await eventually(`${path} is gone`, () => (existsSync(path) ? undefined : true));
  }
  t.equal(await exchangeOnce({ port: 0, path: at('after') }), null);
  t.equal((await runCtl(other, ['status'])).code, 0);
});
