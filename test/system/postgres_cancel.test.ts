/** Ctrl-C in psql behind sluice: a cancel is a connection of its own, and finds its server. */
import t from 'tap';
import { formatAddress } from '../../src/core/endpoint.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { runToEnd } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { POSTGRES_PROGRAMS, type Postgres, startPostgres } from '../support/servers/postgres.js';
import {
  cancelledBy,
  driverStatement,
  notCancelled,
  psqlStatement,
  shortSessions,
  statementsRun,
  strayAt,
} from '../support/servers/postgres_clients.js';
import { listenerText, poolText } from '../support/settings.js';
import { silentEndpoint } from '../support/silent_endpoint.js';
import { type Ending, type Target, tryDial, WireServer } from '../support/wire.js';

const REQUEST = Buffer.from('0000001004d2162e0000000100000002', 'hex');
/** How often each client cancels at each listener; a hundred times by hand (`CANCELS=100`). */
const ROUNDS = Number(process.env['CANCELS'] ?? 1);
const CLIENTS = [psqlStatement, driverStatement];
const STRICT = 'postgres.strict = true';

const root = t;
let started: Promise<readonly Postgres[]> | null = null;

/** One set for all tests of this file. */
async function realServers(count: number): Promise<readonly Postgres[]> {
  started ??= startPostgres(root, 3);
  return (await started).slice(0, count);
}

/** A client that cancels, and how its connection ends. */
async function cancel(target: Target): Promise<Ending> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') throw new Error(wire);
  await wire.send(REQUEST);
  wire.finish();
  const how = await wire.closed;
  wire.socket.destroy();
  return how;
}

/** The servers say that they have cancelled this many statements, and none more. */
async function logged(servers: readonly Postgres[], count: number): Promise<void> {
  await eventually(`${count} cancelled statements`, () => {
    const now = cancelledBy(servers);
    if (now === count) return true;
    throw new Error(`${now} are`);
  });
}

t.test('a cancel reaches its server, and no other session', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await realServers(3);
  const services = POLICY_NAMES.flatMap((policy) =>
    [2, 3].map((count) => ({ name: `${policy}-${count}`, policy, count })),
  );
  const toml = services.map(
    ({ name, policy, count }) =>
      listenerText({ name, pool: name, lines: 'postgres.cancel = "route"' }) +
      poolText({ name, policy, backends: servers.slice(0, count) }),
  );
  const daemon = await startDaemon(t, { toml: toml.join(''), workers: 2 });
  for (const { name, count } of services) await daemon.backendsUp(name, count);
  const ports = await Promise.all(services.map(({ name }) => daemon.port(name)));
  // Sessions whose processes, and so whose keys, come and go meanwhile.
  const loads = ports.slice(0, 2).map((port) => shortSessions(t, port, 10));
  const before = cancelledBy(servers);
  let begun = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const all = ports.flatMap((port) => CLIENTS.map((begin) => begin(t, port)));
    begun += all.length;
    await statementsRun(servers, all.length);
    t.same(await notCancelled(all), []);
  }
  for (const load of loads) {
    t.ok(load.running);
    t.same(load.stderr.past, [], 'no other client has noticed');
  }
  await daemon.metricSettles(
    'sluice_sessions_total',
    { outcome: 'cancel-handed-on' },
    (sum) => sum === begun,
  );
  await logged(servers, before + begun);
  t.same(strayAt(servers), [], 'each at the server whose session it is, and at no other');
});

t.test('a cancel reaches a server that is full and drains', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await realServers(2);
  const toml = (backends: readonly Postgres[]): string =>
    listenerText({ pool: 'pg', lines: STRICT }) +
    poolText({ name: 'pg', backends, lines: 'max_connections = 1\ndrain_timeout = "5m"' });
  const daemon = await startDaemon(t, { toml: toml(servers) });
  await daemon.backendsUp('pg', 2);
  const port = await daemon.port('pg');
  const both = CLIENTS.map((begin) => begin(t, port));
  await statementsRun(servers, 2);
  const refused = await runToEnd(program('psql'), [
    '-Xc',
    'select 1',
    `host=127.0.0.1 port=${port} user=postgres sslmode=disable gssencmode=disable`,
  ]);
  t.match(refused.stderr, /sluice does not serve this session: all-full/);
  await daemon.reload(toml(servers.slice(0, 1)));
  t.same(await notCancelled(both), []);
  t.same(strayAt(servers), []);
});

t.test('a cancel that arrives at another sluice reaches its server, too', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await realServers(2);
  const node = () =>
    startDaemon(t, {
      toml:
        listenerText({ pool: 'pg', lines: STRICT }) + poolText({ name: 'pg', backends: servers }),
    });
  const nodes = await Promise.all([node(), node()]);
  for (const one of nodes) await one.backendsUp('pg', servers.length);
  const backends = await Promise.all(
    nodes.map(async (one, index) => ({
      address: `127.0.0.1:${await one.port('pg')}`,
      name: `node${index}`,
    })),
  );
  const front = await startDaemon(t, {
    toml:
      listenerText({ pool: 'nodes' }) +
      poolText({ name: 'nodes', policy: 'round-robin', backends }),
  });
  await front.backendsUp('nodes', 2);
  const port = await front.port('nodes');
  // One after the other: the session goes to one node, and its cancel to the next one.
  const before = cancelledBy(servers);
  let begun = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const begin of CLIENTS) {
      const one = begin(t, port);
      begun++;
      await statementsRun(servers, 1);
      t.same(await notCancelled([one]), []);
    }
  }
  await logged(servers, before + begun);
  const handedOn = await eventually('the ends of all cancels', async () => {
    const each = await Promise.all(
      nodes.map(async (one) =>
        (await one.metrics()).sum('sluice_sessions_total', { outcome: 'cancel-handed-on' }),
      ),
    );
    return each.reduce((sum, count) => sum + count) === begun ? each : undefined;
  });
  t.same(handedOn.sort(), [0, begun], 'the sessions were at the other one');
});

t.test('a client that cancels more than it may is refused, and harms no other', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await realServers(1);
  const daemon = await startDaemon(t, {
    toml: listenerText({ pool: 'pg', lines: STRICT }) + poolText({ name: 'pg', backends: servers }),
  });
  await daemon.backendsUp('pg', 1);
  const port = await daemon.port('pg');
  const one = psqlStatement(t, port);
  await statementsRun(servers, 1);
  const storm = { port, localAddress: '127.0.0.2' };
  await Promise.all(Array.from({ length: 60 }, () => cancel(storm)));
  await daemon.metricSettles('sluice_refused_total', { reason: 'cancel-limit' }, (sum) => sum > 0);
  t.same(await notCancelled([one]), []);
});

t.test(
  'cancels for a server that does not answer hold up no others, and leave nothing',
  async (t) => {
    const silent = await silentEndpoint();
    t.teardown(() => silent.close());
    const server = await WireServer.start(t);
    const taken = async (): Promise<void> => {
      const wire = await server.next();
      await wire.read(REQUEST.length);
      wire.socket.destroy();
    };
    const pools = { dead: formatAddress(silent.endpoint), alive: server.address };
    const daemon = await startDaemon(t, {
      openFiles: 1_024,
      toml: Object.entries(pools)
        .map(([pool, address]) => {
          const health = 'probe = "none"';
          return (
            listenerText({ pool, lines: STRICT }) +
            poolText({ name: pool, backends: [{ address }], health })
          );
        })
        .join(''),
    });
    const [dead, alive] = [await daemon.port('dead'), await daemon.port('alive')];
    t.same(await Promise.all([cancel({ port: alive }), taken()]), ['fin', undefined]);
    const atRest = await daemon.descriptors();
    // 20 per second of each client.
    const many = Array.from({ length: 240 }, (_, i) =>
      cancel({ port: dead, localAddress: `127.0.1.${1 + (i % 12)}` }),
    );
    await daemon.metricSettles('sluice_accepted_total', { listener: 'dead' }, (sum) => sum === 240);
    const startedMs = nowMs();
    t.same(await Promise.all([cancel({ port: alive }), taken()]), ['fin', undefined]);
    t.ok(nowMs() - startedMs < 1_500, `${Math.round(nowMs() - startedMs)} ms`);
    await Promise.all(many);
    await eventually(
      'the descriptors',
      async () => (await daemon.descriptors()) <= atRest || undefined,
    );
  },
);
