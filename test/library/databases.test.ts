/**
 * Real databases under load: a primary is killed and its replica promoted, a server stands still.
 * No request fails that a retry could save.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import type { Backend } from '../../src/library/entry.js';
import { ioredisConnector } from '../../src/library/ioredis.js';
import type { BalancerOptions } from '../../src/library/options.js';
import { pgStream } from '../../src/library/pg.js';
import { eventually, nowMs } from '../support/deadline.js';
import { haveServers } from '../support/require_server.js';
import {
  POSTGRES_PROGRAMS,
  query,
  startPostgres,
  startReplica,
} from '../support/servers/postgres.js';
import { REDIS_PROGRAMS, startRedis } from '../support/servers/redis.js';

const require = createRequire(import.meta.url);
const HEALTH = {
  interval: '200ms',
  fastInterval: '50ms',
  downInterval: '200ms',
  timeout: '300ms',
  fall: 1,
  rise: 1,
} as const;
/** Of a new primary: one long interval with jitter, and whatever else two busy cores do. */
const RISE_MS = 1.1 * 200 + 1_500;

async function balancerOf(t: Test, options: BalancerOptions): Promise<Balancer> {
  const balancer = await createBalancer({ onDown: 'close', ...options });
  t.teardown(() => balancer.close());
  return balancer;
}

/** Runs `ask` in each lane, again and again, until stopped; a failure ends its lane. */
class Lanes {
  readonly failures: string[] = [];
  readonly #lanes: Promise<void>[];
  #done = 0;
  #state: 'running' | 'over' = 'running';

  constructor(lanes: number, ask: () => Promise<unknown>) {
    const run = async (): Promise<void> => {
      for (; this.#state === 'running'; this.#done++) await ask();
    };
    this.#lanes = Array.from({ length: lanes }, () =>
      run().catch((error: unknown) => void this.failures.push(String(error))),
    );
  }

  async more(count: number): Promise<void> {
    const from = this.#done;
    await eventually('more requests', () => (this.#done - from >= count ? true : undefined));
  }

  async end(): Promise<void> {
    this.#state = 'over';
    await Promise.all(this.#lanes);
  }
}

t.test('pg: the primary is killed under load, and its replica promoted', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const [primary] = await startPostgres(t, 1);
  if (primary === undefined) return;
  await query(primary.port, 'create table seen (id bigint primary key)');
  const replica = await startReplica(t, primary);
  const { Pool } = require('pg');
  const login = { user: 'postgres', database: 'postgres' };
  const backends = [primary.address, replica.address];
  const health = { ...HEALTH, probe: 'postgres', user: 'postgres' } as const;

  const readers = await balancerOf(t, { backends, health });
  const pools = new Map<string, InstanceType<typeof Pool>>();
  const poolOf = ({ address, host, port }: Backend): InstanceType<typeof Pool> => {
    const known = pools.get(address);
    if (known !== undefined) return known;
    const pool = new Pool({ ...login, host, port }).on('error', () => {});
    pools.set(address, pool);
    t.teardown(() => pool.end());
    return pool;
  };
  const read = (): Promise<unknown> =>
    readers.execute((backend) => poolOf(backend).query('select count(*) from seen'), {
      retryIf: () => true,
    });

  const writers = await balancerOf(t, { backends, health: { ...health, role: 'primary' } });
  const pool = new Pool({ ...login, stream: pgStream(writers) }).on('error', () => {});
  t.teardown(() => pool.end());
  let promoted: 'no' | 'yes' = 'no';
  const late: string[] = [];
  let next = 0;
  const insert = 'insert into seen values ($1) on conflict do nothing';
  const write = async (id = next++): Promise<void> => {
    const begun = promoted;
    try {
      await pool.query(insert, [id]);
    } catch (error) {
      if (begun === 'yes') late.push(String(error));
      if (writers.snapshot().serves === 'all-down') await once(writers, 'backend-up');
      await write(id);
    }
  };

  const reads = new Lanes(4, read);
  const writes = new Lanes(4, () => write());
  await Promise.all([reads.more(50), writes.more(50)]);
  await primary.kill();
  await reads.more(50);
  await replica.promote();
  const sinceMs = nowMs();
  if (writers.snapshot().serves === 'all-down') await once(writers, 'backend-up');
  promoted = 'yes';
  await writes.more(10);
  const tookMs = nowMs() - sinceMs;
  t.ok(tookMs < RISE_MS, `it writes ${Math.round(tookMs)} ms after the promotion`);
  await Promise.all([reads.more(50), writes.more(50)]);
  await Promise.all([reads.end(), writes.end()]);
  t.same(reads.failures, [], 'not one read failed');
  t.same(late, [], 'no write failed once the replica was the primary');
});

t.test('ioredis: the primary is killed under load, and its replica promoted', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [primary, replica] = await startRedis(t, 2);
  if (primary === undefined || replica === undefined) return;
  await replica.command('replicaof', '127.0.0.1', String(primary.port));
  await replica.linked();
  const backends = [primary.address, replica.address];
  const health = { ...HEALTH, probe: 'redis', role: 'primary' } as const;
  const balancer = await balancerOf(t, { backends, health });
  const { Redis } = require('ioredis');
  const client = new Redis({ Connector: ioredisConnector(balancer) }).on('error', () => {});
  t.teardown(() => client.disconnect());
  const writes = new Lanes(4, () => client.incr('seen'));
  await writes.more(50);
  await primary.kill();
  await eventually('no backend serves', () =>
    balancer.snapshot().serves === 'all-down' ? true : undefined,
  );
  await replica.command('replicaof', 'no', 'one');
  await writes.more(50);
  await writes.end();
  t.same(writes.failures, [], 'not one command failed');
});

t.test('ioredis: a server stands still under load', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const servers = await startRedis(t, 2);
  const backends = servers.map(({ address }) => address);
  const balancer = await balancerOf(t, { backends, health: { ...HEALTH, probe: 'redis' } });
  const { Redis } = require('ioredis');
  const client = new Redis({ Connector: ioredisConnector(balancer) }).on('error', () => {});
  t.teardown(() => client.disconnect());
  const commands = new Lanes(4, () => client.incr('seen'));
  await commands.more(50);
  const [used] = balancer.snapshot().backends.filter(({ active }) => active > 0);
  const stopped = servers.find(({ address }) => address === used?.address);
  t.teardown(() => stopped?.freeze('SIGCONT'));
  stopped?.freeze('SIGSTOP');
  await commands.more(50);
  await commands.end();
  t.same(commands.failures, [], 'not one command failed');
  t.equal(balancer.snapshot().backends.find(({ name }) => name === used?.name)?.state, 'down');
});
