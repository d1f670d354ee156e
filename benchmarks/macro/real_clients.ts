/** Real clients against real servers of the load's core, through each of the peers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listenerAt } from '../../test/support/accepted.js';
import { eventually } from '../../test/support/deadline.js';
import { freePort, tempFolder } from '../../test/support/places.js';
import { Child, mustRun } from '../../test/support/process.js';
import { program } from '../../test/support/require_server.js';
import { startPostgres } from '../../test/support/servers/postgres.js';
import { startRedis } from '../../test/support/servers/redis.js';
import type { Endings } from '../support/endings.js';
import type { REAL } from './case_names.js';
import { type Done, readIperf3, readPgbench, readRedisBenchmark, readWrk } from './outputs.js';

export interface RealClient {
  /** Of the server, for the proxies. */
  readonly port: number;
  /** One run through `port`, for about this many seconds. */
  run(port: number, seconds: number): Promise<Done>;
}

const HOST = '127.0.0.1';
const LIMIT_MS = 120_000;
/** redis-benchmark wants a number of requests, not a time. */
const REDIS_REQUESTS_PER_SECOND = 50_000;

export const REAL_CLIENTS: Readonly<
  Record<(typeof REAL)[number], (scope: Endings) => Promise<RealClient>>
> = {
  redis: async (scope) => {
    const [server] = await startRedis(scope, 1);
    return {
      port: server?.port ?? 0,
      run: async (port, seconds) => {
        const count = Math.ceil(seconds * REDIS_REQUESTS_PER_SECOND);
        const work = ['-t', 'get', '-c', '50', '-d', '64', '-n', String(count), '--csv'];
        const text = await client('redis-benchmark', ['-h', HOST, '-p', String(port), ...work]);
        return readRedisBenchmark(text, count);
      },
    };
  },
  pgbench: (scope) => pgbench(scope, ['-M', 'prepared']),
  'pgbench-c': (scope) => pgbench(scope, ['-C']),
  wrk: async (scope) => ({
    port: await startHttp(scope),
    run: async (port, seconds) => {
      const span = `${Math.ceil(seconds)}s`;
      return readWrk(await client('wrk', ['-t1', '-c50', '-d', span, `http://${HOST}:${port}/`]));
    },
  }),
  'iperf3-up': (scope) => iperf3(scope, []),
  'iperf3-down': (scope) => iperf3(scope, ['-R']),
};

async function pgbench(scope: Endings, words: readonly string[]): Promise<RealClient> {
  const [server] = await startPostgres(scope, 1);
  const at = (port: number): string[] => ['-h', HOST, '-p', String(port), '-U', 'postgres'];
  await client('pgbench', [...at(server?.port ?? 0), '-i', '-q', 'postgres']);
  const work = ['-S', ...words, '-n', '-c', '16', '-j', '1', '-T'];
  return {
    port: server?.port ?? 0,
    run: async (port, seconds) => {
      const span = String(Math.ceil(seconds));
      return readPgbench(await client('pgbench', [...at(port), ...work, span, 'postgres']));
    },
  };
}

/**
 * The server of iperf3 closes its listening socket at the end of each test and makes a new one: a
 * client that comes in between is refused, and a proxy in front of it has no backend. The knock at
 * a proxy that starts is such a test, too, so the first run through a port may meet its end.
 */
async function iperf3(scope: Endings, direction: readonly string[]): Promise<RealClient> {
  const server = await freePort();
  const child = new Child(program('iperf3'), ['-s', '-B', HOST, '-p', String(server)]);
  scope.teardown(() => child.stop());
  const known = new Set<number>();
  let used: string | undefined;
  const once = async (port: number, seconds: number): Promise<Done> => {
    used = await eventually('iperf3 listens anew', () => {
      const socket = listenerAt(server);
      return socket === used ? undefined : socket;
    });
    const span = String(Math.ceil(seconds));
    const work = ['-P', '4', '-t', span, '--json', ...direction];
    return readIperf3(await client('iperf3', ['-c', HOST, '-p', String(port), ...work]));
  };
  return {
    port: server,
    run: async (port, seconds) => {
      if (known.has(port)) return once(port, seconds);
      known.add(port);
      return once(port, seconds).catch(() => once(port, seconds));
    },
  };
}

/** nginx that answers every request with a few bytes from memory. */
async function startHttp(scope: Endings): Promise<number> {
  const port = await freePort();
  const folder = tempFolder(scope);
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  server { listen ${HOST}:${port}; location / { return 200 "64 bytes or so of an answer"; } }
}
`,
  );
  const child = new Child(program('nginx'), ['-p', folder, '-e', 'stderr', '-c', file]);
  scope.teardown(() => child.stop());
  return port;
}

function client(name: string, args: readonly string[]): Promise<string> {
  return mustRun(program(name), args, { limitMs: LIMIT_MS });
}
