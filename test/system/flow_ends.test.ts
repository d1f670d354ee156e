/**
 * Each way in which a UDP flow can end × what its listener is bound to × the access level: as
 * ends.test.ts has it for TCP.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { CAUSES, type Cause, type REFUSALS } from '../../src/core/outcome.js';
import { accessLines } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { within } from '../support/deadline.js';
import { startUdpEchoes, UdpClient } from '../support/load/datagrams.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';

const BINDS = ['0.0.0.0', '[::]', '127.0.0.1', '[::1]'] as const;
const LEVELS = ['off', 'errors', 'all'] as const;

interface Way {
  readonly listener?: string;
  readonly pool?: string;
  readonly health?: string;
  readonly backend?: 'mute';
  readonly kind: 'orderly' | 'error';
  readonly by?: 'reload' | 'stop';
}

/** Causes of flows; the others need a connection, or end a flow before it has begun. */
const FLOW_WAYS: Readonly<Record<FlowCause, Way | string>> = {
  'idle-timeout': { listener: 'idle_timeout = "500ms"', kind: 'orderly' },
  'max-age': { listener: 'max_session_age = "1s"', kind: 'orderly' },
  'responses-done': { pool: 'udp_responses = 1', kind: 'orderly' },
  drained: {
    pool: 'drain_timeout = "100ms"\ndrain_spread = "100ms"',
    kind: 'orderly',
    by: 'reload',
  },
  'all-down': {
    pool: 'connect_timeout = "300ms"',
    health: 'probe = "udp"\nsend = "a"\nexpect = "b"\ntimeout = "20s"',
    backend: 'mute',
    kind: 'error',
  },
  shutdown: { kind: 'orderly', by: 'stop' },
  'backend-down': 'by an ICMP message: test/session/udp/choosing.test.ts',
  rebalanced: 'flows are not moved',
  'worker-lost': 'needs a thread that dies: test/control/worker_loss.test.ts',
  'internal-error': 'needs a defect: test/system/blast_radius.test.ts',
  killed: 'no command of this version asks for it',
};

type FlowCause = Exclude<
  Cause,
  Exclude<(typeof REFUSALS)[number], 'all-down'> | (typeof OF_CONNECTIONS)[number]
>;
const OF_CONNECTIONS = [
  'finished',
  'client-reset',
  'backend-reset',
  'client-gone',
  'cancel-handed-on',
] as const;

interface Case {
  readonly name: string;
  readonly cause: Cause;
  readonly bind: (typeof BINDS)[number];
  readonly way: Way;
}

const cases: readonly Case[] = CAUSES.flatMap((cause) => {
  const way = cause in FLOW_WAYS ? FLOW_WAYS[cause as FlowCause] : 'not of flows';
  if (typeof way === 'string') return [];
  return BINDS.map((bind, index) => ({ name: `${cause}-${index}`, cause, bind, way }));
});

for (const level of LEVELS) {
  t.test(`flows end in every way on every bind with access = "${level}"`, async (t) => {
    const backends = await startBackends(t);
    const toml = (stage: 'first' | 'last'): string =>
      cases.map((one) => text(one, backends, one.way.by === 'reload' ? stage : 'first')).join('');
    const daemon = await startDaemon(t, {
      access: level,
      shutdownTimeout: '300ms',
      toml: toml('first'),
    });
    const clients = new Map<string, string>();
    const begin = async (by: Way['by']): Promise<void> => {
      const chosen = cases.filter(({ way }) => way.by === by);
      await Promise.all(
        chosen.map(async (one) => clients.set(one.name, await flow(t, daemon, one))),
      );
    };
    await begin(undefined);
    for (const { name, cause } of cases.filter(({ way }) => way.by === undefined)) {
      const labels = { listener: name, outcome: cause };
      await daemon.metricSettles('sluice_sessions_total', labels, (sum) => sum === 1);
    }
    await begin('reload');
    t.equal((await daemon.reload(toml('last'))).event, 'reloaded');
    for (const { name } of cases.filter(({ way }) => way.by === 'reload')) {
      await daemon.event('backend-drained', ({ pool }) => pool === name);
    }
    await begin('stop');
    t.same(await within('the end', daemon.stop(), 5_000), { code: 0, signal: null });
    t.same(daemon.eventsNamed('internal-error'), []);
    t.same(daemon.eventsNamed('worker-lost'), []);
    t.same(wrongLines(daemon, level, clients), []);
  });
}

/**
 * One datagram, answered if a backend answers; gives both addresses as the access line has them.
 */
async function flow(t: Test, daemon: Daemon, { name, bind, way }: Case): Promise<string> {
  const host = bind.startsWith('[') ? '::1' : '127.0.0.1';
  const port = await daemon.port(name);
  const client = await UdpClient.open({ host, port });
  t.teardown(() => client.close());
  if (way.backend === 'mute') client.send('x');
  else await client.ask('x');
  const text = host === '::1' ? '[::1]' : host;
  return `${text}:${client.port} to ${text}:${port}`;
}

function wrongLines(daemon: Daemon, level: string, clients: ReadonlyMap<string, string>): string[] {
  return cases.flatMap(({ name, cause, way }) => {
    const expected = level === 'all' || (level === 'errors' && way.kind === 'error');
    const lines = accessLines(daemon)
      .filter(({ listener }) => listener === name)
      .map(({ client, local, outcome }) => `${client} to ${local} ${outcome.cause}`);
    const wanted = expected ? [`${clients.get(name)} ${cause}`] : [];
    return lines.join() === wanted.join() ? [] : [`${name}: ${lines.join()}, not ${wanted.join()}`];
  });
}

function text(one: Case, { echo, mute }: Backends, stage: 'first' | 'last'): string {
  const { name, bind, way } = one;
  const isMute = way.backend === 'mute' || stage === 'last';
  return (
    listenerText({
      name,
      pool: name,
      protocol: 'udp',
      bind: `${bind}:0`,
      lines: way.listener ?? '',
    }) +
    poolText({
      name,
      health: way.health ?? 'probe = "none"',
      lines: way.pool ?? '',
      backends: [{ address: isMute ? mute : echo }],
    })
  );
}

interface Backends {
  readonly echo: string;
  /** Takes datagrams and answers none. */
  readonly mute: string;
}

async function startBackends(t: Test): Promise<Backends> {
  const [echo] = await startUdpEchoes(t, 1);
  const mute = createSocket('udp4');
  const port = await freePort();
  mute.bind(port, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => mute.close());
  return { echo: echo?.address ?? '', mute: `127.0.0.1:${port}` };
}
