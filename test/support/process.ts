/** Child processes that end with the test that started them, by their own id. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { within } from './deadline.js';
import { Feed } from './feed.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Passed {
  readonly descriptors: readonly number[];
  readonly names: readonly string[];
}

/** LISTEN_PID is that of the program, which the shell becomes. */
const ACTIVATED = ['sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh'];

export interface ChildOptions {
  readonly cwd?: string;
  /** Further variables. */
  readonly env?: NodeJS.ProcessEnv;
  /** Runs as this user when the tests run as root: some servers refuse root. */
  readonly user?: string;
  /** RLIMIT_NOFILE, soft and hard. */
  readonly openFiles?: number;
  /** Output is left as a stream (`output`) instead of being split into lines. */
  readonly rawOutput?: true;
  /** Descriptors that it has from 3 on, as systemd passes them (sd_listen_fds(3)). */
  readonly passed?: Passed;
  /** Sent at the test's end; SIGKILL follows when it does not help. */
  readonly endSignal?: NodeJS.Signals;
}

/** tap puts hooks for its own Node.js processes into the environment of every child. */
const CLEAN = ['env', '-u', 'NODE_OPTIONS'] as const;
/** A child dies with the process that started it, however that ends: PR_SET_PDEATHSIG, prctl(2). */
const BOUND = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : [];

const alive = new Set<Child>();
process.on('exit', () => {
  for (const child of alive) child.signalGroup('SIGKILL');
});

export class Child {
  readonly stdout = new Feed<string>();
  readonly stderr = new Feed<string>();
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #name: string;
  #exit: Exit | null = null;

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    this.#name = command.slice(command.lastIndexOf('/') + 1);
    const limit = options.openFiles === undefined ? [] : [`--nofile=${options.openFiles}`];
    const limited = limit.length === 0 ? [] : ['prlimit', ...limit];
    const { passed } = options;
    const activated = passed === undefined ? [] : ACTIVATED;
    const wrappers = [...BOUND, ...limited, ...CLEAN, ...activated];
    const [program = command, ...rest] = [...wrappers, command, ...args];
    this.#process = spawn(program, rest, {
      cwd: options.cwd,
      env: { ...process.env, ...listenVariables(passed), ...options.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', ...(passed?.descriptors ?? [])],
      ...identity(options.user),
    });
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.stderr.push(error.message);
        this.#over({ code: 127, signal: null }, resolve);
      });
      this.#process.once('close', (code, signal) => this.#over({ code, signal }, resolve));
    });
    if (options.rawOutput !== true) feedLines(this.#process.stdout, this.stdout);
    feedLines(this.#process.stderr, this.stderr);
    this.#process.stdin?.on('error', () => {});
    alive.add(this);
  }

  #over(exit: Exit, resolve: (exit: Exit) => void): void {
    if (this.#exit !== null) return;
    this.#exit = exit;
    alive.delete(this);
    const why = `${this.#name} ended (code ${exit.code}, signal ${exit.signal})`;
    const told = this.stderr.past.slice(-5).join(' | ');
    this.stdout.end(told === '' ? why : `${why}: ${told}`);
    this.stderr.end(why);
    resolve(exit);
  }

  /** The process id; 0 when the program could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get running(): boolean {
    return this.#exit === null;
  }

  get input(): Writable {
    return present(this.#process.stdin, 'standard input is a pipe');
  }

  get output(): Readable {
    return present(this.#process.stdout, 'standard output is a pipe');
  }

  write(text: string | Uint8Array): void {
    this.#process.stdin?.write(text);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  /** Signals the process together with the processes that it started. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.pid === 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  /** Signals the process, then, if need be, kills its group; resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.signal('SIGCONT');
    this.signal(signal);
    try {
      return await within(`the end of ${this.#name}`, this.exited, 8_000);
    } catch {
      return this.kill();
    }
  }

  /** SIGKILL to the whole group; resolves when the process has ended. */
  async kill(): Promise<Exit> {
    this.signalGroup('SIGKILL');
    return this.exited;
  }
}

/** Starts a program and ends it with the test. */
export function startChild(
  t: Test,
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Child {
  const child = new Child(command, args, options);
  t.teardown(() => (child.running ? child.stop(options.endSignal) : undefined));
  return child;
}

function listenVariables(passed: Passed | undefined): NodeJS.ProcessEnv {
  if (passed === undefined) return {};
  return { LISTEN_FDS: `${passed.descriptors.length}`, LISTEN_FDNAMES: passed.names.join(':') };
}

export interface Output extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and gives what it printed. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: ChildOptions & { readonly input?: string; readonly limitMs?: number } = {},
): Promise<Output> {
  const child = new Child(command, args, options);
  if (options.input !== undefined) child.write(options.input);
  child.endInput();
  try {
    const exit = await within(`${command} ${args.join(' ')}`, child.exited, options.limitMs);
    return { ...exit, stdout: child.stdout.past.join('\n'), stderr: child.stderr.past.join('\n') };
  } finally {
    if (child.running) await child.kill();
  }
}

/** As `runToEnd`, but an exit code other than 0 is an error that shows what was printed. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: ChildOptions & { readonly input?: string; readonly limitMs?: number } = {},
): Promise<string> {
  const output = await runToEnd(command, args, options);
  if (output.code === 0) return output.stdout;
  throw new Error(`${command} ${args.join(' ')}: exit ${output.code}: ${output.stderr}`);
}

/** The user and group ids of `user`, or nothing when the tests do not run as root. */
export function identity(user: string | undefined): { uid?: number; gid?: number } {
  if (user === undefined || process.getuid?.() !== 0) return {};
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8' }).trim());
  return { uid: id('-u'), gid: id('-g') };
}

function feedLines(stream: NodeJS.ReadableStream | null, feed: Feed<string>): void {
  if (stream === null) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) feed.push(line);
  });
  stream.on('end', () => {
    if (rest !== '') feed.push(rest);
  });
}
