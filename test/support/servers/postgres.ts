/** Real PostgreSQL servers: primaries and streaming replicas on free ports, without fsync. */
import { appendFileSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../deadline.js';
import { freePort, type Scope, tempFolder } from '../places.js';
import { Child, identity, mustRun } from '../process.js';
import { program } from '../require_server.js';

/** PostgreSQL refuses to run as root. */
const USER = 'postgres';

/** A user of this name must log in by SCRAM; every other user is trusted. The tests create it. */
export const SCRAM_USER = 'scram';

export const POSTGRES_PROGRAMS = [
  'initdb',
  'postgres',
  'psql',
  'pgbench',
  'pg_basebackup',
] as const;

export class Postgres {
  readonly port: number;
  readonly data: string;
  #child: Child | null = null;

  constructor(port: number, data: string) {
    this.port = port;
    this.data = data;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What the server has logged since its last start. */
  get log(): readonly string[] {
    return this.#child?.stderr.past ?? [];
  }

  /** Starts the server and resolves when it accepts sessions. */
  async start(): Promise<void> {
    this.#child = new Child(
      program('postgres'),
      ['-D', this.data, '-p', String(this.port), '-k', this.data],
      { user: USER, env: { LC_ALL: 'C' } },
    );
    // Said after recovery on a primary, at the consistent point on a replica.
    await this.#child.stderr.first('PostgreSQL accepts', (line) =>
      /database system is ready to accept/.test(line),
    );
  }

  /** SIGKILL to the postmaster and its processes, as if the machine had lost power. */
  async kill(): Promise<void> {
    await this.#child?.kill();
    rmSync(join(this.data, 'postmaster.pid'), { force: true });
  }

  /** A fast shutdown: sessions are ended, the state is written. */
  async stop(): Promise<void> {
    await this.#child?.stop('SIGINT');
  }

  /** Ends the server at the test's end, without a checkpoint. */
  async end(): Promise<void> {
    if (this.#child?.running) await this.#child.stop('SIGQUIT');
  }

  /** Freezes or thaws the server and all its processes. */
  freeze(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.signalGroup(signal);
  }

  /** Makes a replica the primary; resolves when it accepts writes. */
  async promote(): Promise<void> {
    await query(this.port, 'select pg_promote(true)');
    await eventually('the promotion', async () =>
      (await query(this.port, 'select pg_is_in_recovery()')) === 'f' ? true : undefined,
    );
  }
}

/**
 * Runs `sql` by psql against a port of this machine and gives what it prints (unaligned, no
 * header).
 */
export function query(port: number, sql: string, host = '127.0.0.1'): Promise<string> {
  const target = `host=${host} port=${port} user=postgres dbname=postgres connect_timeout=5`;
  return mustRun(program('psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql, target]);
}

/** `count` independent servers; `select inet_server_port()` names the one that answers. */
export async function startPostgres(t: Scope, count: number): Promise<readonly Postgres[]> {
  const folder = tempFolder(t);
  const template = join(folder, 'template');
  owned(folder);
  await initialise(template);
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const data = join(folder, `pg${index + 1}`);
      await mustRun('cp', ['-a', template, data], { user: USER, cwd: folder });
      const server = new Postgres(await freePort(), data);
      t.teardown(() => server.end());
      await server.start();
      return server;
    }),
  );
}

/** A streaming replica of `primary`, started and caught up. */
export async function startReplica(t: Scope, primary: Postgres): Promise<Postgres> {
  const folder = tempFolder(t);
  owned(folder);
  const data = join(folder, 'replica');
  await mustRun(
    program('pg_basebackup'),
    ['-D', data, '-R', '-c', 'fast', '--no-sync', '-X', 'stream', '-d', replicationOf(primary)],
    { user: USER, cwd: folder },
  );
  const replica = new Postgres(await freePort(), data);
  t.teardown(() => replica.end());
  await replica.start();
  await eventually('streaming', async () =>
    (await query(primary.port, 'select count(*) from pg_stat_replication')) === '0'
      ? undefined
      : true,
  );
  return replica;
}

/**
 * Makes a stopped former primary follow `primary`, after pg_rewind has thrown away what it had
 * alone.
 */
export async function rejoin(former: Postgres, primary: Postgres): Promise<void> {
  await mustRun(
    program('pg_rewind'),
    ['-D', former.data, '--source-server', `${replicationOf(primary)} dbname=postgres`, '-R'],
    { user: USER, cwd: former.data },
  );
  await former.start();
}

function replicationOf(primary: Postgres): string {
  return `host=127.0.0.1 port=${primary.port} user=postgres`;
}

async function initialise(data: string): Promise<void> {
  await mustRun(
    program('initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8'],
    { user: USER, cwd: join(data, '..') },
  );
  appendFileSync(
    join(data, 'postgresql.conf'),
    `listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = on
shared_buffers = 16MB
max_connections = 100
wal_level = replica
wal_log_hints = on
wal_keep_size = 64MB
max_wal_senders = 5
hot_standby = on
log_min_messages = warning
`,
  );
  const rules = [
    'local all all trust',
    `host all ${SCRAM_USER} 127.0.0.1/32 scram-sha-256`,
    'host all all 127.0.0.1/32 trust',
    'host replication all 127.0.0.1/32 trust',
  ];
  writeFileSync(join(data, 'pg_hba.conf'), `${rules.join('\n')}\n`);
}

/** Gives a folder of ours to the server's user. */
function owned(folder: string): void {
  const { uid, gid } = identity(USER);
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
}
