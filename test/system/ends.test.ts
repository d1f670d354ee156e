/**
 * Each way in which a session can end × what its listener is bound to × the access level: the
 * daemon lives, nothing is left, and the access line is there exactly when it must be, with the
 * true addresses.
 */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { formatAddress } from '../../src/core/endpoint.js';
import { CAUSES, type Cause } from '../../src/core/outcome.js';
import { accessLines } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { within } from '../support/deadline.js';
import { type EndBackends, type Played, WAYS, type Way } from '../support/ends.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { silentEndpoint } from '../support/silent_endpoint.js';
import type { Target } from '../support/wire.js';

const BINDS = ['0.0.0.0', '[::]', '127.0.0.1', '[::1]', 'unix'] as const;
const LEVELS = ['off', 'errors', 'all'] as const;

/** A way on a bind: it has a listener and a pool of its own. */
interface Case {
  readonly name: string;
  readonly cause: Cause;
  readonly bind: (typeof BINDS)[number];
  readonly way: Way;
}

interface Done extends Played {
  readonly one: Case;
}

const cases: readonly Case[] = CAUSES.flatMap((cause) =>
  BINDS.flatMap((bind, index) => {
    const way = WAYS[cause];
    if (typeof way === 'string' || way.notOn === bind) return [];
    return [{ name: `${cause}-${index}`, cause, bind, way }];
  }),
);

for (const level of LEVELS) {
  t.test(`sessions end in every way on every bind with access = "${level}"`, async (t) => {
    const folder = tempFolder(t);
    const mortal = await startMortal(t);
    const backends = await startBackends(t, mortal);
    const toml = (stage: 'first' | 'last') =>
      cases.map((c) => text(c, backends, folder, stage)).join('');
    const daemon = await startDaemon(t, {
      access: level,
      shutdownTimeout: '300ms',
      // All refused ones come in one second, of which each worker writes ten lines.
      workers: 6,
      toml: toml('first'),
    });
    await daemon.event('backend-down', ({ pool }) => String(pool).startsWith('all-down'));
    await daemon.event('backend-up', ({ pool }) => String(pool).startsWith('backend-down'));
    const play = async (by: Way['by']): Promise<readonly Done[]> =>
      Promise.all(cases.filter(({ way }) => way.by === by).map((c) => playCase(daemon, c, folder)));

    const done: Done[] = [];
    const own = await play(undefined);
    await ended(own);
    done.push(...own);

    const leaving = await play('reload');
    t.equal((await daemon.reload(toml('last'))).event, 'reloaded');
    await ended(leaving);
    done.push(...leaving);

    const dying = await play('death');
    mortal.close();
    await ended(dying);
    done.push(...dying);

    for (const gauge of ['sessions_active', 'backend_active', 'queue_length']) {
      await daemon.metricSettles(`sluice_${gauge}`, {}, (sum) => sum === 0);
    }
    const last = await play('stop');
    daemon.signal('SIGTERM');
    await ended(last);
    done.push(...last);
    t.same(await within('the end', daemon.exited, 5_000), { code: 0, signal: null });
    t.same(daemon.eventsNamed('internal-error'), []);
    t.same(daemon.eventsNamed('worker-lost'), []);
    t.same(wrongLines(daemon, level, done), []);
    t.equal(done.length, cases.length);
  });
}

async function playCase(daemon: Daemon, one: Case, folder: string): Promise<Done> {
  const target = await targetOf(daemon, one, folder);
  try {
    return { ...(await one.way.play(target)), one };
  } catch (error) {
    throw new Error(`${one.name} on ${one.bind}: ${String(error)}`);
  }
}

async function targetOf(daemon: Daemon, { name, bind }: Case, folder: string): Promise<Target> {
  if (bind === 'unix') return { port: 0, path: join(folder, `${name}.sock`) };
  const host = bind.startsWith('[') ? '::1' : '127.0.0.1';
  return { host, port: await daemon.port(name) };
}

/** Waits until the daemon has ended all of them; then their clients go too. */
async function ended(all: readonly Done[]): Promise<void> {
  await Promise.all(
    all.map(async ({ one, wire, over, others }) => {
      await within(`the end of ${one.name} on ${one.bind}`, over);
      wire.socket.destroy();
      for (const other of others) other.finish();
      await Promise.all(
        others.map((other) => within(`the end of another client of ${one.name}`, other.closed)),
      );
    }),
  );
}

/** What is missing, too many or untrue among the access lines. */
function wrongLines(daemon: Daemon, level: string, done: readonly Done[]): readonly string[] {
  const lines = accessLines(daemon);
  const ends = (name: string): string =>
    lines.flatMap(({ listener, outcome }) => (listener === name ? [outcome.cause] : [])).join();
  return done.flatMap(({ one: { name, cause, bind, way }, addresses: [client, local] }) => {
    const expected = level === 'all' || (level === 'errors' && way.kind === 'error') ? 1 : 0;
    const found = lines.filter(
      (line) =>
        line.listener === name &&
        line.outcome.cause === cause &&
        (client === 'unix:' || line.client === client),
    );
    const untrue = found.filter((line) => line.client !== client || line.local !== local);
    return [
      ...(found.length >= expected && (expected > 0 || found.length === 0)
        ? []
        : [`${name} on ${bind}: ${found.length} lines, not ${expected}; ${ends(name)}`]),
      ...untrue.map((line) => `${name} on ${bind}: ${line.client} to ${line.local}`),
    ];
  });
}

function text(
  { name, cause, bind, way }: Case,
  backends: EndBackends,
  folder: string,
  stage: 'first' | 'last',
): string {
  const all = way.backends(backends);
  const leaves = stage === 'last' && way.by === 'reload';
  if (leaves && cause === 'no-backend') return '';
  return (
    listenerText({
      name,
      pool: name,
      bind: bind === 'unix' ? `unix:${join(folder, `${name}.sock`)}` : `${bind}:0`,
      lines: way.listener ?? '',
    }) +
    poolText({
      name,
      health: way.health ?? 'probe = "none"',
      lines: way.pool ?? '',
      backends: leaves ? all.slice(1) : all,
    })
  );
}

/** Takes connections until it is closed; those that it has echo on. */
async function startMortal(t: Test): Promise<Server & { readonly port?: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
    t.teardown(() => socket.destroy());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return Object.assign(server, { port });
}

async function startBackends(t: Test, mortal: { readonly port?: number }): Promise<EndBackends> {
  const [echo] = await startEchoes(t, 1);
  const resetter = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.resetAndDestroy());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => resetter.listen(port, '127.0.0.1', resolve));
  t.teardown(() => resetter.close());
  const mute = await silentEndpoint();
  t.teardown(() => mute.close());
  return {
    echo: echo?.address ?? '',
    resetter: `127.0.0.1:${port}`,
    mute: formatAddress(mute.endpoint),
    dead: `127.0.0.1:${await freePort()}`,
    mortal: `127.0.0.1:${mortal.port}`,
  };
}
