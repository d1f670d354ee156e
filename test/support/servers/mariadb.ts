/** A real MariaDB server on a free port. */
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort, tempFolder } from '../places.js';
import { Child, identity, mustRun } from '../process.js';
import { program } from '../require_server.js';

const USER = 'mysql';

export const MARIADB_PROGRAMS = ['mariadbd', 'mariadb-install-db'] as const;

export class Mariadb {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #child: Child | null = null;

  constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#child = new Child(
      program('mariadbd'),
      [
        '--no-defaults',
        `--datadir=${join(this.#folder, 'data')}`,
        `--socket=${join(this.#folder, 'socket')}`,
        `--port=${this.port}`,
        '--bind-address=127.0.0.1',
        '--innodb-flush-log-at-trx-commit=0',
        '--innodb-buffer-pool-size=16M',
        ...this.#options,
      ],
      { user: USER },
    );
    await this.#child.stderr.first('MariaDB accepts', (line) => /ready for connections/.test(line));
  }

  /** What the server has logged since its last start. */
  get log(): readonly string[] {
    return this.#child?.stderr.past ?? [];
  }

  /** Runs `sql` as root and gives what it prints (no header). */
  query(sql: string): Promise<string> {
    const socket = `--socket=${join(this.#folder, 'socket')}`;
    return mustRun(program('mariadb'), ['--no-defaults', socket, '-uroot', '-BN', '-e', sql]);
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async end(): Promise<void> {
    if (this.#child?.running) await this.#child.stop();
  }

  freeze(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.signal(signal);
  }
}

/** `options` win over what is set here. */
export async function startMariadb(t: Test, ...options: readonly string[]): Promise<Mariadb> {
  const folder = tempFolder(t);
  const { uid, gid } = identity(USER);
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  await mustRun(
    program('mariadb-install-db'),
    [
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { user: USER, cwd: folder, limitMs: 60_000 },
  );
  const server = new Mariadb(await freePort(), folder, options);
  t.teardown(() => server.end());
  await server.start();
  return server;
}
