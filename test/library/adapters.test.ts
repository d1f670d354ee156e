/** The adapters with the libraries that they are for, and real servers. */
import { createServer, get } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import { httpAgent } from '../../src/library/http.js';
import { ioredisConnector } from '../../src/library/ioredis.js';
import type { BalancerOptions } from '../../src/library/options.js';
import { pgStream } from '../../src/library/pg.js';
import { undiciConnector } from '../../src/library/undici.js';
import { eventually } from '../support/deadline.js';
import { haveServers } from '../support/require_server.js';
import { POSTGRES_PROGRAMS, startPostgres } from '../support/servers/postgres.js';
import { REDIS_PROGRAMS, startRedis } from '../support/servers/redis.js';

const require = createRequire(import.meta.url);
const QUICK = { interval: '200ms', fastInterval: '50ms', downInterval: '200ms', fall: 1, rise: 1 };

async function balancerOf(t: Test, options: BalancerOptions): Promise<Balancer> {
  const balancer = await createBalancer({ health: QUICK, ...options });
  t.teardown(() => balancer.close());
  const ready = () => balancer.snapshot().backends.every(({ state }) => state === 'up');
  await eventually('all are proven', () => (ready() ? true : undefined));
  return balancer;
}

/** Answers its own number. */
async function httpServer(t: Test, number: number) {
  const server = createServer((_, response) => response.end(String(number)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  t.teardown(stop);
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

async function httpBed(t: Test) {
  const servers = await Promise.all([0, 1, 2].map((number) => httpServer(t, number)));
  const backends = servers.map(({ address }) => address);
  const balancer = await balancerOf(t, { backends });
  return { servers, balancer };
}

/** Which server answers `count` requests, one after the other. */
async function answers(count: number, ask: () => Promise<string>): Promise<string> {
  const seen = new Set<string>();
  for (let n = 0; n < count; n++) seen.add(await ask());
  return [...seen].sort().join('');
}

t.test('node:http goes where the balancer says, and elsewhere when one is gone', async (t) => {
  const { servers, balancer } = await httpBed(t);
  const agent = httpAgent(balancer, { keepAlive: false });
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      get('http://users.internal/', { agent }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      }).on('error', reject);
    });
  t.equal(await answers(40, ask), '012');
  servers[0]?.stop();
  t.equal(await answers(40, ask), '12', 'no request failed');
});

t.test('undici goes where the balancer says, and elsewhere when one is gone', async (t) => {
  const { servers, balancer } = await httpBed(t);
  const { Agent, request } = require('undici');
  const connect = undiciConnector(balancer);
  const dispatcher = new Agent({ connect, pipelining: 0, keepAliveTimeout: 1 });
  t.teardown(() => dispatcher.destroy());
  const ask = async (): Promise<string> => {
    const { body } = await request('http://users.internal/', { dispatcher, reset: true });
    return body.text();
  };
  t.equal(await answers(40, ask), '012');
  servers[1]?.stop();
  t.equal(await answers(40, ask), '02', 'no request failed');
});

t.test('pg: a pool goes on with the other server when one is killed', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await startPostgres(t, 2);
  const backends = servers.map(({ address }) => address);
  const balancer = await balancerOf(t, { backends, onDown: 'close' });
  const { Pool } = require('pg');
  const pool = new Pool({ stream: pgStream(balancer), user: 'postgres', database: 'postgres' });
  t.teardown(() => pool.end());
  const lost: Error[] = [];
  pool.on('error', (error: Error) => lost.push(error));
  const ask = async (): Promise<string> => {
    const { rows } = await pool.query('select inet_server_port() as port');
    return String(rows[0].port);
  };
  const crowd = () => Promise.all(Array.from({ length: 8 }, ask));
  await eventually('both serve', async () => {
    return new Set(await crowd()).size === 2 ? true : undefined;
  });
  const [killed, other] = servers;
  await killed?.kill();
  await eventually('the pool has noticed', () => (lost.length > 0 ? true : undefined));
  t.same([...new Set(await crowd())], [String(other?.port)]);
});

t.test('ioredis: a client goes on with the other server, and no command is lost', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const servers = await startRedis(t, 2);
  const backends = servers.map(({ address }) => address);
  const balancer = await balancerOf(t, { backends });
  const { Redis } = require('ioredis');
  const client = new Redis({ Connector: ioredisConnector(balancer) });
  t.teardown(() => client.disconnect());
  client.on('error', () => {});
  const port = async (): Promise<string> => /tcp_port:(\d+)/.exec(await client.info())?.[1] ?? '';
  const first = await port();
  const killed = servers.find((server) => String(server.port) === first);
  await killed?.kill();
  const other = servers.find((server) => server !== killed);
  t.equal(await port(), String(other?.port));
});
