/** Real clients of PostgreSQL that begin a long statement and then cancel it, and pgbench. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { eventually } from '../deadline.js';
import { type Scope, tempFolder } from '../places.js';
import { Child } from '../process.js';
import { program } from '../require_server.js';
import { type Postgres, query } from './postgres.js';

const LONG = 'select pg_sleep(60)';
const RUNNING = `select count(*) from pg_stat_activity where state = 'active' and query = '${LONG}'`;
const CANCELLED = /canceling statement due to user request/;
/** What a server logs of a cancel that is for none of its sessions. */
const STRAY = /in cancel request|cancel request for process/;

export interface LongStatement {
  /** By a connection of its own, as every client does it. */
  cancel(): void;
  /** What the client got at its end. */
  readonly ended: Promise<string>;
}

/** psql, whose user presses Ctrl-C. */
export function psqlStatement(t: Scope, port: number): LongStatement {
  const where = `host=127.0.0.1 port=${port} user=postgres dbname=postgres`;
  const psql = new Child(program('psql'), ['-X', '-c', LONG, where]);
  t.teardown(() => psql.kill());
  return {
    cancel: () => psql.signal('SIGINT'),
    ended: psql.exited.then(() => psql.stderr.past.join('\n')),
  };
}

/** What is used of `pg`, which has no types of its own. */
interface PgClient {
  connect(): Promise<void>;
  query(query: object): void;
  cancel(client: PgClient, query: object): void;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): void;
}

/** The driver `pg`, as it ends a statement whose time is over. */
export function driverStatement(t: Scope, port: number): LongStatement {
  const { Client, Query } = createRequire(import.meta.url)('pg') as {
    Client: new (options: object) => PgClient;
    Query: new (text: string, values: null, done: (error: unknown) => void) => object;
  };
  const login = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
  const client = new Client(login);
  client.on('error', () => {});
  let running: object = {};
  const ended = new Promise<string>((resolve) => {
    running = new Query(LONG, null, (error) => {
      resolve(String(error));
      void client.end();
    });
    client.connect().then(
      () => client.query(running),
      (error: unknown) => resolve(String(error)),
    );
  });
  t.teardown(() => client.end());
  return {
    cancel: () => {
      const canceller = new Client(login);
      canceller.on('error', () => {});
      canceller.cancel(client, running);
    },
    ended,
  };
}

/** Resolves when this many of them are being executed. */
export async function statementsRun(servers: readonly Postgres[], count: number): Promise<void> {
  await eventually(`${count} statements`, async () => {
    const each = await Promise.all(servers.map(({ port }) => query(port, RUNNING)));
    const running = each.reduce((sum, one) => sum + Number(one), 0);
    if (running === count) return true;
    throw new Error(`${running} run`);
  });
}

/** What clients get whose statements were not cancelled. */
export async function notCancelled(all: readonly LongStatement[]): Promise<readonly string[]> {
  for (const statement of all) statement.cancel();
  const heard = await Promise.all(all.map(({ ended }) => ended));
  return heard.filter((one) => !CANCELLED.test(one));
}

/** Statements that the servers say were cancelled; each server logs its own. */
export const cancelledBy = (servers: readonly Postgres[]): number =>
  servers.flatMap(({ log }) => log.filter((line) => CANCELLED.test(line))).length;

export const strayAt = (servers: readonly Postgres[]): readonly string[] =>
  servers.flatMap(({ log }) => log.filter((line) => STRAY.test(line)));

/** `pgbench -C`: sessions of one statement each that come and go, until the test is over. */
export function shortSessions(t: Scope, port: number, aSecond: number): Child {
  const script = join(tempFolder(t), 'one.sql');
  writeFileSync(script, 'select 1;\n');
  const load = ['-C', '-n', '-f', script, '-c', '2', '-R', String(aSecond), '-T', '600'];
  const where = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'postgres'];
  const bench = new Child(program('pgbench'), [...load, ...where]);
  t.teardown(() => bench.kill());
  return bench;
}
