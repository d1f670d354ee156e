/** A cancel goes to the one server whose key it names; where the key is not known, to each. */
import t, { type Test } from 'tap';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { accessLines } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import {
  cancelRequest,
  logIn,
  ScriptedPostgres,
  startMessage,
} from '../support/servers/scripted_postgres.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';
import { LOSE_WORKER, SIZES_VARIABLE } from '../torture/every_thread.js';

/** Of one key, from as many addresses: all at one of two workers has the probability 2^-31. */
const CANCELS = 32;

interface Session {
  readonly wire: Wire;
  readonly key: Buffer;
}

const startServers = (t: Test, count: number): Promise<readonly ScriptedPostgres[]> =>
  Promise.all(Array.from({ length: count }, () => ScriptedPostgres.start(t)));

const pool = (name: string, backends: readonly ScriptedPostgres[], policy = 'p2c'): string =>
  poolText({ name, policy, backends, health: 'probe = "none"', lines: 'drain_timeout = "1m"' });

const listener = (name: string, pool = name): string =>
  listenerText({ name, pool, lines: 'postgres.strict = true' });

async function begin(t: Test, port: number): Promise<Session> {
  const wire = await dial(t, { port });
  return { wire, key: await logIn(wire) };
}

/** From an address of its own, so that no client cancels more than it may. */
async function cancel(t: Test, port: number, key: Buffer, client = 1): Promise<void> {
  const wire = await dial(t, { port, localAddress: `127.0.2.${client}` });
  await wire.send(cancelRequest(key));
  t.equal(await wire.ended, 'fin', 'the cancel was taken');
}

/** How often each of the servers was asked to cancel `key`. */
const told = (
  servers: readonly ScriptedPostgres[],
  { key }: Pick<Session, 'key'>,
): readonly number[] =>
  servers.map(({ cancelled }) => cancelled.filter((one) => one === key.toString('hex')).length);

/** The server that has the session and no other was asked, `times`. */
function toldAlone(t: Test, servers: readonly ScriptedPostgres[], session: Session, times: number) {
  const counts = told(servers, session).filter((count) => count > 0);
  t.same(counts, [times], 'one server');
}

t.test('whatever the policy, one of three servers gets the cancel', async (t) => {
  const servers = await startServers(t, 3);
  const toml = POLICY_NAMES.map((name) => listener(name) + pool(name, servers, name)).join('');
  const daemon = await startDaemon(t, { toml, workers: 2 });
  for (const policy of POLICY_NAMES) {
    const port = await daemon.port(policy);
    const sessions = await Promise.all(Array.from({ length: 6 }, () => begin(t, port)));
    await Promise.all(sessions.map(({ key }) => cancel(t, port, key)));
    for (const session of sessions) toldAlone(t, servers, session, 1);
  }
});

t.test('the cancel may come at another worker than its session', async (t) => {
  const servers = await startServers(t, 2);
  const daemon = await startDaemon(t, {
    toml: listener('pg') + pool('pg', servers),
    workers: 2,
    access: 'all',
  });
  const port = await daemon.port('pg');
  const session = await begin(t, port);
  // Four at a time, so that none waits for its connection to the server.
  const from = [0, 1, 2, 3];
  for (let client = 1; client <= CANCELS; client += from.length) {
    await Promise.all(from.map((more) => cancel(t, port, session.key, client + more)));
  }
  toldAlone(t, servers, session, CANCELS);
  await daemon.metricSettles(
    'sluice_sessions_total',
    { outcome: 'cancel-handed-on' },
    (sum) => sum === CANCELS,
  );
  t.same(workersOf(daemon), ['0', '1']);
});

t.test('a key is known while its server leaves, and as long as its session lasts', async (t) => {
  const servers = await startServers(t, 2);
  const [first, second] = servers;
  if (first === undefined || second === undefined) return;
  const daemon = await startDaemon(t, { toml: listener('pg') + pool('pg', [first]) });
  const port = await daemon.port('pg');
  const session = await begin(t, port);
  const reloaded = await daemon.reload(listener('pg') + pool('pg', [second]));
  t.equal(reloaded.event, 'reloaded');
  const later = await begin(t, port);
  await cancel(t, port, session.key);
  await cancel(t, port, later.key);
  t.same(
    [told(servers, session), told(servers, later)],
    [
      [1, 0],
      [0, 1],
    ],
  );

  const elsewhere = listener('pg', 'other') + pool('other', [second]);
  t.equal((await daemon.reload(elsewhere)).event, 'reloaded');
  await cancel(t, port, session.key);
  t.same(told(servers, session), [2, 0], 'also where its listener leads there no more');

  later.wire.finish();
  await later.wire.closed;
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 1);
  t.equal((await daemon.reload(listener('pg') + pool('pg', servers))).event, 'reloaded');
  await cancel(t, port, later.key);
  t.same(told(servers, later), [1, 2], 'an unknown key is asked of every server');
});

t.test('a server that is ejected is asked, whether or not its key is known', async (t) => {
  const servers = await startServers(t, 2);
  const sections = '[pools.pg.outlier]\nconsecutive_failures = 1\n';
  const daemon = await startDaemon(t, {
    toml:
      listener('pg') +
      poolText({
        name: 'pg',
        policy: 'round-robin',
        backends: servers,
        health: 'probe = "none"',
        sections,
      }),
  });
  const port = await daemon.port('pg');
  const sessions = [await begin(t, port), await begin(t, port)];
  const [first] = servers;
  if (first !== undefined) first.isBroken = true;
  const ejected = daemon.event('backend-ejected');
  for (let n = 0; n < servers.length; n++) {
    const wire = await dial(t, { port });
    await wire.send(startMessage());
    await wire.read(1).catch(() => null);
    wire.socket.destroy();
  }
  t.equal((await ejected)['backend'], first?.address);
  for (const session of sessions) {
    await cancel(t, port, session.key);
    toldAlone(t, servers, session, 1);
  }
  const unknown = { key: Buffer.alloc(36, 7) };
  await cancel(t, port, unknown.key);
  t.same(told(servers, unknown), [1, 1]);
});

t.test('a client with all the sessions that it may have cancels one of them', async (t) => {
  const servers = await startServers(t, 1);
  const lines = 'postgres.strict = true\nlimits.sessions_per_client = 1';
  const daemon = await startDaemon(t, {
    toml: listenerText({ pool: 'pg', lines }) + pool('pg', servers),
  });
  const port = await daemon.port('pg');
  const from = { port, localAddress: '127.0.2.1' };
  const first = await dial(t, from);
  const session = { wire: first, key: await logIn(first) };
  for (let n = 0; n < 3; n++) await cancel(t, port, session.key);
  toldAlone(t, servers, session, 3);
  const second = await dial(t, from);
  await second.send(startMessage());
  t.match((await second.readAll()).text, /SFATAL.*C53300.*too-many-sessions/);
});

t.test('cancels take no turn of their client', async (t) => {
  const servers = await startServers(t, 1);
  const lines = 'postgres.strict = true\nlimits.new_per_client = "3/h"';
  const daemon = await startDaemon(t, {
    toml: listenerText({ pool: 'pg', lines }) + pool('pg', servers),
  });
  const port = await daemon.port('pg');
  const from = { port, localAddress: '127.0.2.1' };
  for (let n = 0; n < 5; n++) await cancel(t, port, Buffer.alloc(36, 7));
  for (let n = 0; n < 3; n++) await logIn(await dial(t, from));
  const fourth = await dial(t, from);
  await fourth.send(startMessage());
  t.match((await fourth.readAll()).text, /SFATAL.*C53300.*too-fast/);
});

t.test('keys of a worker that is lost are forgotten with it', async (t) => {
  const servers = await startServers(t, 2);
  const daemon = await startDaemon(t, {
    workers: 1,
    everyThread: new URL('../torture/every_thread.js', import.meta.url),
    env: { [SIZES_VARIABLE]: '{}' },
    expects: ['worker-lost'],
    toml: listener('pg') + pool('pg', servers),
  });
  const port = await daemon.port('pg');
  const session = await begin(t, port);
  await cancel(t, port, session.key);
  toldAlone(t, servers, session, 1);
  const started = daemon.nextEvent('worker-started');
  daemon.signal(LOSE_WORKER);
  await started;
  await cancel(t, port, session.key);
  t.same([...told(servers, session)].sort(), [1, 2], 'and both servers are asked');
});

/** Of cancels: their lines begin with their workers. */
function workersOf(daemon: Daemon): readonly string[] {
  const cancels = accessLines(daemon).filter(({ outcome }) => outcome.cause === 'cancel-handed-on');
  return [...new Set(cancels.map(({ id }) => id.split('-')[0] ?? ''))].sort();
}
