/** A change of state is all or nothing, one at a time, and a stop outranks every other one. */
import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import {
  type Daemon,
  type DaemonSetup,
  ENGINE,
  type LogRecord,
  startDaemon,
} from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { tempFolder } from '../support/places.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial, tryDial } from '../support/wire.js';

t.setTimeout(180_000);

const NONE = 'probe = "none"';
const NO_FOREIGN_CALLS = new URL('../support/no_foreign_calls.js', import.meta.url);

t.test('9,000 backends that all get new addresses are taken over in one reload', async (t) => {
  const echoes = await startEchoes(t, 1);
  const front = serviceText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { toml: front + crowd(9000, 1), workers: 2 });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const held = await dial(t, { port });
  await held.send('one');
  t.equal(await held.readText(3), 'one');
  for (const net of [2, 3]) {
    const record = await daemon.reload(front + crowd(9000, net));
    t.equal(record.event, 'reloaded', JSON.stringify(record['problems']));
    t.equal(await exchangeOnce({ port }), null);
  }
  await held.send('two');
  t.equal(await held.readText(3), 'two', 'sessions elsewhere do not notice');
});

t.test('a hundred listeners may lead to one pool of a thousand backends', async (t) => {
  const fan = (net: number): string =>
    Array.from({ length: 100 }, (_, index) =>
      listenerText({ name: `l${index}`, pool: 'crowd', bind: '127.0.0.1:0' }),
    ).join('') + crowd(1000, net).replace(/^\[listeners[^[]*/, '');
  const daemon = await startDaemon(t, { workers: 1, toml: fan(1) });
  t.equal((await daemon.reload(fan(2))).event, 'reloaded');
});

const FORMS: Readonly<Record<string, Partial<DaemonSetup>>> = {
  'as it is here': {},
  ...(ENGINE === 'node' ? { 'without foreign calls': { everyThread: NO_FOREIGN_CALLS } } : {}),
};

for (const [form, setup] of Object.entries(FORMS)) {
  const name = 'a reload opens a socket file again that was removed, and takes none of others';
  t.test(`${name}, ${form}`, async (t) => {
    const echoes = await startEchoes(t, 1);
    const path = join(tempFolder(t), 'front.sock');
    const toml =
      listenerText({ name: 'x', pool: 'p', bind: `unix:${path}` }) +
      poolText({ name: 'p', backends: echoes, health: NONE });
    const daemon = await startDaemon(t, { toml, ...setup });
    const held = await dial(t, { port: 0, path });
    await held.send('one');
    t.equal(await held.readText(3), 'one');
    unlinkSync(path);
    t.match(await daemon.reload(toml), { event: 'reloaded' });
    t.equal(await exchangeOnce({ port: 0, path }), null);
    unlinkSync(path);
    const other = createServer().listen(path);
    await once(other, 'listening');
    const { event, problems } = await daemon.reload(toml);
    t.equal(event, 'reload-failed');
    t.match(String(problems), 'another process listens there (EADDRINUSE)');
    other.close();
    await once(other, 'close');
    t.match(await daemon.reload(toml), { event: 'reloaded' });
    t.equal(await exchangeOnce({ port: 0, path }), null);
    await held.send('two');
    t.equal(await held.readText(3), 'two', 'what is connected goes on');
  });
}

t.test('a listener at a socket file gets another name and another backlog at once', async (t) => {
  const echoes = await startEchoes(t, 1);
  const path = join(tempFolder(t), 'front.sock');
  const file = (name: string, backlog: number): string =>
    listenerText({ name, pool: 'p', bind: `unix:${path}`, lines: `backlog = ${backlog}` }) +
    poolText({ name: 'p', backends: echoes, health: NONE });
  const daemon = await startDaemon(t, { toml: file('before', 100) });
  t.equal(await exchangeOnce({ port: 0, path }), null);
  t.match(await daemon.reload(file('after', 200)), { event: 'reloaded' });
  t.equal(await exchangeOnce({ port: 0, path }), null);
  t.match(await daemon.reload(file('before', 200)), { event: 'reloaded' });
  t.equal(await exchangeOnce({ port: 0, path }), null);
});

t.test('a reload and a stop in any order: the stop wins, and nothing reopens', async (t) => {
  const echoes = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends: echoes });
  const orders: readonly (readonly NodeJS.Signals[])[] = [
    ['SIGHUP', 'SIGTERM'],
    ['SIGTERM', 'SIGHUP'],
    ['SIGHUP', 'SIGHUP', 'SIGTERM', 'SIGHUP'],
  ];
  for (const [index, order] of orders.entries()) {
    for (const sessions of ['none', 'one'] as const) {
      const daemon = await startDaemon(t, { toml, shutdownTimeout: '20s' });
      await daemon.backendsUp('echo', 1);
      const port = await daemon.port('echo');
      const wire = sessions === 'one' ? await dial(t, { port }) : null;
      await wire?.send('x');
      await wire?.readText(1);
      for (const signal of order) daemon.signal(signal);
      if (wire !== null) {
        await daemon.event('stopping');
        for (let look = 0; look < 3; look++) daemon.signal('SIGHUP');
        await wire.send('y');
        t.equal(await wire.readText(1), 'y', 'the session goes on');
        await eventually('no other client comes in', async () => {
          const late = await tryDial({ port });
          if (typeof late !== 'string') late.socket.destroy();
          return late === 'ECONNREFUSED' ? true : undefined;
        });
        wire.finish();
      }
      t.same(await within('the end', daemon.exited, 15_000), { code: 0, signal: null });
      t.same(daemon.eventsNamed('internal-error'), [], `${index}, sessions: ${sessions}`);
      t.notOk(opensAfterStop(daemon), 'no listener opens after the stop began');
    }
  }
});

t.test('a storm of SIGHUP comes to an end, and the daemon serves', async (t) => {
  const echoes = await startEchoes(t, 1);
  const daemon = await startDaemon(t, { toml: serviceText({ name: 'echo', backends: echoes }) });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const last = daemon.nextEvent('reloaded');
  for (let round = 0; round < 300; round++) daemon.signal('SIGHUP');
  await last;
  t.equal(await exchangeOnce({ port }), null);
  t.same(daemon.eventsNamed('reload-failed'), []);
});

/** `count` backends of the network 10.`net`.0.0/16, unproved, behind a listener of their own. */
function crowd(count: number, net: number): string {
  const backends = Array.from({ length: count }, (_, index) => ({
    name: `b${index}`,
    address: `10.${net}.${index >> 8}.${index & 255}:9`,
  }));
  return serviceText({ name: 'crowd', backends, health: NONE });
}

function opensAfterStop(daemon: Daemon): boolean {
  const events = daemon.events.past.map((record: LogRecord) => record.event);
  return events.lastIndexOf('listening') > events.indexOf('stopping');
}
