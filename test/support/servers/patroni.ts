/**
 * Patroni with PostgreSQL servers of its own: each pair lives in a namespace for processes, as on a
 * machine of its own, so that one signal takes both at once and nothing outlives a test.
 */
import { chownSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRecord } from '../../../src/core/unknown.js';
import { eventually } from '../deadline.js';
import { freePort, type Scope, tempFolder } from '../places.js';
import { Child, identity, runToEnd } from '../process.js';
import { program } from '../require_server.js';
import type { Etcd } from './etcd.js';

const USER = 'postgres';
/**
 * A leader that is lost is replaced when its key is over. Patroni asks for at least loop_wait +
 * 2 * retry_timeout; newer ones than 3.0 also for 20 s.
 */
const TIMES = { ttl: 8, loop_wait: 1, retry_timeout: 3 };
/** A cluster starts, or finds a new leader, on a machine with other work to do. */
export const CLUSTER_LIMIT_MS = 60_000;

export const PATRONI_PROGRAMS = ['patroni', 'initdb', 'postgres', 'psql', 'pg_basebackup'] as const;

/** As words before a program; in each the program is the first process of a namespace. */
const OWN_PROCESSES = ['--pid', '--fork', '--kill-child=KILL', '--mount-proc'];

/** Whether this machine lets tests give processes a namespace. */
export async function mayIsolate(): Promise<boolean> {
  const { code } = await runToEnd('unshare', [...OWN_PROCESSES, 'true']);
  return code === 0;
}

export class PatroniNode {
  readonly name: string;
  readonly port: number;
  readonly restPort: number;
  readonly #config: string;
  #child: Child | null = null;
  #state: 'off' | 'started' = 'off';

  constructor(name: string, port: number, restPort: number, config: string) {
    this.name = name;
    this.port = port;
    this.restPort = restPort;
    this.#config = config;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.restPort}`;
  }

  start(): void {
    this.#state = 'started';
    const user = identity(USER);
    const as = user.uid === undefined ? [] : asUser(user.uid, user.gid ?? user.uid);
    const words = [...OWN_PROCESSES, ...as, program('patroni'), this.#config];
    this.#child = new Child('unshare', words, { cwd: '/', env: { LC_ALL: 'C', HOME: '/tmp' } });
  }

  /** The machine loses power: Patroni and PostgreSQL are gone at once. */
  async kill(): Promise<void> {
    this.#state = 'off';
    await this.#child?.kill();
  }

  /** Throws with what Patroni has said last, when it has ended by itself. */
  mustRun(): void {
    if (this.#state !== 'started' || this.#child?.running === true) return;
    throw new Error(`${this.name} has ended: ${this.#child?.stderr.past.slice(-9).join(' | ')}`);
  }
}

/** One that was started, and has a leader; every node streams from it. */
export class PatroniCluster {
  readonly nodes: readonly PatroniNode[];

  constructor(nodes: readonly PatroniNode[]) {
    this.nodes = nodes;
  }

  /** Names and states of its members by role, as the first node that answers says. */
  async members(): Promise<readonly { name: string; role: string; state: string }[]> {
    for (const { origin } of this.nodes) {
      const answer = await fetch(`${origin}/cluster`).catch(() => null);
      const body: unknown = answer?.status === 200 ? await answer.json() : null;
      if (!isRecord(body) || !Array.isArray(body['members'])) continue;
      return body['members'].filter(isRecord).map(({ name, role, state }) => {
        return { name: String(name), role: String(role), state: String(state) };
      });
    }
    return [];
  }

  /** Waits for a leader that is not `before`, and that says itself that it takes writes. */
  async leader(before: PatroniNode | null = null): Promise<PatroniNode> {
    return eventually(
      'a leader',
      async () => {
        for (const node of this.nodes) {
          if (node === before) continue;
          const answer = await fetch(`${node.origin}/primary`).catch(() => null);
          if (answer?.status === 200) return node;
          node.mustRun();
        }
        return undefined;
      },
      CLUSTER_LIMIT_MS,
    );
  }

  /** Waits until `count` replicas follow. */
  async replicas(count: number): Promise<void> {
    await eventually(
      `${count} replicas`,
      async () => {
        const all = await this.members();
        const following = all.filter(
          ({ role, state }) => role === 'replica' && state === 'running',
        );
        return following.length >= count ? true : undefined;
      },
      CLUSTER_LIMIT_MS,
    );
  }

  /** Hands the lead over, in an orderly way; what Patroni says when it is done. */
  async switchover(from: PatroniNode, to: PatroniNode): Promise<string> {
    const body = JSON.stringify({ leader: from.name, candidate: to.name });
    const answer = await fetch(`${from.origin}/switchover`, { method: 'POST', body });
    return `${answer.status} ${await answer.text()}`;
  }
}

export async function startPatroni(t: Scope, etcd: Etcd, count: number): Promise<PatroniCluster> {
  const folder = tempFolder(t);
  own(folder);
  const ports = await Promise.all(Array.from({ length: 2 * count }, () => freePort()));
  const nodes = Array.from({ length: count }, (_, at): PatroniNode => {
    const name = `pg${at + 1}`;
    const [port = 0, restPort = 0] = ports.slice(2 * at);
    const config = join(folder, `${name}.yml`);
    const place = join(folder, name);
    mkdirSync(place);
    own(place);
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(configOf(name, port, restPort, place, etcd), null, 2));
    own(config);
    return new PatroniNode(name, port, restPort, config);
  });
  t.teardown(() => Promise.all(nodes.map((node) => node.kill())));
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error('a cluster has a node');
  const cluster = new PatroniCluster(nodes);
  first.start();
  await cluster.leader();
  for (const node of others) node.start();
  await cluster.replicas(others.length);
  return cluster;
}

function configOf(name: string, port: number, restPort: number, place: string, etcd: Etcd) {
  const trust = ['local all all trust', 'host all all 127.0.0.1/32 trust'];
  return {
    scope: 'sluice',
    name,
    restapi: { listen: `127.0.0.1:${restPort}`, connect_address: `127.0.0.1:${restPort}` },
    etcd3: { host: new URL(etcd.origin).host },
    bootstrap: {
      dcs: { ...TIMES, maximum_lag_on_failover: 1_048_576 },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'no-sync'],
    },
    postgresql: {
      listen: `127.0.0.1:${port}`,
      connect_address: `127.0.0.1:${port}`,
      data_dir: join(place, 'data'),
      bin_dir: dirname(realpathSync(program('initdb'))),
      pgpass: join(place, 'pgpass'),
      pg_hba: [...trust, 'host replication all 127.0.0.1/32 trust'],
      authentication: {
        superuser: { username: 'postgres' },
        replication: { username: 'replicator' },
      },
      basebackup: [{ checkpoint: 'fast' }, 'no-sync'],
      parameters: { fsync: 'off', shared_buffers: '16MB', unix_socket_directories: place },
    },
  };
}

function asUser(uid: number, gid: number): readonly string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
}

/** Gives a place of ours to the servers' user. */
function own(path: string): void {
  const { uid, gid } = identity(USER);
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}
