/** Real Redis servers on free ports, without files. */
import { eventually } from '../deadline.js';
import { freePort, type Scope, tempFolder } from '../places.js';
import { Child, mustRun } from '../process.js';
import { program } from '../require_server.js';

export const REDIS_PROGRAMS = ['redis-server', 'redis-cli', 'redis-benchmark'] as const;

/** A replica is served at once; by default the primary waits five seconds for others. */
const QUICK = ['--repl-diskless-sync-delay', '0'] as const;

export class Redis {
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

  /** What the server has logged since its last start. */
  get log(): readonly string[] {
    return this.#child?.stdout.past ?? [];
  }

  async start(): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', ...QUICK];
    this.#child = new Child(program('redis-server'), [...fixed, ...this.#options], {
      cwd: this.#folder,
    });
    await this.#child.stdout.first('Redis accepts', (line) => /eady to accept/.test(line));
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

  /** A command to this server itself, by redis-cli. */
  command(...words: readonly string[]): Promise<string> {
    return redisCommand(this.port, ...words);
  }

  /** Waits until this replica has a live link to its primary. */
  async linked(): Promise<void> {
    await eventually('the replica has its link', async () =>
      (await this.command('info', 'replication')).includes('master_link_status:up')
        ? true
        : undefined,
    );
  }
}

/** A command by redis-cli to a port of this machine. */
export function redisCommand(port: number, ...words: readonly string[]): Promise<string> {
  return mustRun(program('redis-cli'), ['-h', '127.0.0.1', '-p', String(port), '-e', ...words]);
}

export async function startRedis(
  t: Scope,
  count: number,
  ...options: readonly string[]
): Promise<readonly Redis[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const server = new Redis(await freePort(), tempFolder(t), options);
      t.teardown(() => server.end());
      await server.start();
      return server;
    }),
  );
}
