/** Writes follow the leader of a real Patroni, on both engines in front of the same servers. */
import t from 'tap';
import { type Daemon, type LogRecord, startDaemon } from '../../support/daemon.js';
import { eventually, nowMs } from '../../support/deadline.js';
import { enginesUnderTest } from '../../support/engines.js';
import { available, haveServers } from '../../support/require_server.js';
import { startEtcd } from '../../support/servers/etcd.js';
import {
  CLUSTER_LIMIT_MS,
  mayIsolate,
  PATRONI_PROGRAMS,
  type PatroniCluster,
  type PatroniNode,
  startPatroni,
} from '../../support/servers/patroni.js';
import { query } from '../../support/servers/postgres.js';
import { serviceText } from '../../support/settings.js';

/**
 * The source is asked each second, changes are applied once per second, and a busy machine takes as
 * long again to probe a backend and to start a client.
 */
const FOLLOW_LIMIT_MS = 10_000;

function toml({ nodes }: PatroniCluster): string {
  const urls = nodes.map(({ origin }) => `"${origin}"`).join(', ');
  const pool = (name: string, role: string): string =>
    serviceText({
      name,
      backends: [],
      sections: `[[pools.${name}.discovery]]
kind = "patroni"
urls = [${urls}]
role = "${role}"
`,
      lines: 'on_down = "close"',
    });
  return pool('w', 'primary') + pool('r', 'replica');
}

interface Proxy {
  readonly engine: string;
  readonly daemon: Daemon;
  readonly writes: number;
}

/**
 * Waits until each node has the writes of `who`. They copy asynchronously, and one that runs may
 * not stream for seconds yet: what the next leader does not have is lost with the one before it.
 */
async function copied({ nodes }: PatroniCluster, who: string, writes: number): Promise<void> {
  for (const { port } of nodes) {
    await eventually(
      `the writes of ${who} at each node`,
      async () => {
        const count = await query(
          port,
          `select count(distinct writer) from log where who = '${who}'`,
        );
        return count === String(writes) ? true : undefined;
      },
      CLUSTER_LIMIT_MS,
    );
  }
}

t.test('writes follow a switchover, and the death of the leader', async (t) => {
  const names = [...PATRONI_PROGRAMS, 'etcd', 'unshare', 'setpriv'];
  if (!haveServers(t, ...names)) return;
  const fact = [
    'processes may have no namespace here (unshare --pid)',
    await mayIsolate(),
  ] as const;
  if (!available(t, [fact])) return;
  const cluster = await startPatroni(t, await startEtcd(t), 3);
  const proxies = await Promise.all(
    enginesUnderTest().map(async (engine): Promise<Proxy> => {
      const daemon = await startDaemon(t, { toml: toml(cluster), engine });
      await daemon.backendsUp('w', 1);
      await daemon.backendsUp('r', 2);
      return { engine, daemon, writes: await daemon.port('w') };
    }),
  );
  const first = await cluster.leader();
  await query(first.port, 'create table log (who text, writer text)');
  for (const { engine, writes, daemon } of proxies) {
    await query(writes, `insert into log values ('before', '${engine}')`);
    t.equal(await query(await daemon.port('r'), 'select pg_is_in_recovery()'), 't');
  }

  await copied(cluster, 'before', proxies.length);

  /**
   * `change` takes the lead from `from`; resolves when writes go on, and no node is asked twice.
   */
  const follow = async (what: string, from: PatroniNode, change: () => Promise<unknown>) => {
    const beganMs = nowMs();
    const changed = change();
    const led = cluster.leader(from).then((node) => ({ node, atMs: nowMs() }));
    const written = proxies.map(async ({ engine, writes, daemon }) => {
      const isIt = ({ pool, address }: LogRecord): boolean =>
        pool === 'w' && address === from.address;
      // Not one that came before: then `from` still led, and its last writes might be lost.
      await daemon.nextEvent('backend-removed', isIt, CLUSTER_LIMIT_MS);
      const atMs = await eventually(
        'a write',
        async () => {
          await query(writes, `insert into log values ('${what}', '${engine}')`);
          return nowMs();
        },
        CLUSTER_LIMIT_MS,
      );
      return { engine, atMs };
    });
    const { node, atMs: ledMs } = await led;
    for (const { engine, atMs } of await Promise.all(written)) {
      const delayMs = Math.round(atMs - ledMs);
      const wholeMs = Math.round(atMs - beganMs);
      t.comment(
        `${engine}: ${what}: writes go on ${wholeMs} ms after it began, ${delayMs} ms after the new leader`,
      );
      t.ok(delayMs < FOLLOW_LIMIT_MS, `${engine}: ${what}: ${delayMs} ms after the new leader`);
    }
    await changed;
    return node;
  };

  const [candidate] = cluster.nodes.filter((node) => node !== first);
  if (candidate === undefined) throw new Error('there are three');
  const second = await follow('switchover', first, async () => {
    t.match(await cluster.switchover(first, candidate), /^200 /);
  });
  t.equal(second, candidate);
  await cluster.replicas(2);
  await copied(cluster, 'switchover', proxies.length);
  await follow('kill', second, () => second.kill());

  for (const { engine, daemon } of proxies) {
    const doubts = daemon.eventsNamed('discovery-suspicious', ({ pool }) => pool === 'w');
    t.same(doubts, [], `${engine}: a change of role is neither held nor suspicious`);
  }
  const [one] = proxies;
  if (one === undefined) throw new Error('an engine works here');
  // A client that lost its session with the answer writes again.
  const counts = 'select who, count(distinct writer) from log group by who order by who';
  const rows = await query(one.writes, counts);
  t.equal(
    rows,
    ['before', 'kill', 'switchover'].map((who) => `${who}|${proxies.length}`).join('\n'),
  );
});
