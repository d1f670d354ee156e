/**
 * A process of this program that starts another one to take its place. What that one shall have is
 * inherited, at known numbers: a socket between the two behind the three standard descriptors, then
 * what is handed over. No path leads there, so no other process can ask for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import { LineChannel } from './line_channel.js';

/** Says to the one that is started what it has: `SOCKETS:CHANNELS`. */
const VARIABLE = 'SLUICE_HANDOVER';
const CHANNEL_FD = 3;

/** What a process was given by the one before it: numbers of descriptors. */
export interface Inherited {
  readonly channel: number;
  /** Listening sockets. */
  readonly sockets: readonly number[];
  /** Channels to processes that still finish their sessions. */
  readonly leaving: readonly number[];
}

/**
 * null: this process does not take the place of another one. The variable is removed, so that no
 * child inherits it.
 */
export function takeInheritance(env: NodeJS.ProcessEnv): Inherited | null {
  const found = /^(\d{1,7}):(\d)$/.exec(env[VARIABLE] ?? '');
  delete env[VARIABLE];
  if (found === null) return null;
  const sockets = range(CHANNEL_FD + 1, Number(found[1]));
  const leaving = range(CHANNEL_FD + 1 + sockets.length, Number(found[2]));
  return { channel: CHANNEL_FD, sockets, leaving };
}

/** The program as it is installed now, as this process was started. */
export interface Program {
  readonly command: string;
  /** Of `args`, the file that is run. */
  readonly script: string;
  readonly args: readonly string[];
}

export function installedProgram(): Program {
  // The name that it was started by: where that is a link, it may lead elsewhere by now.
  const command = isAbsolute(process.argv0) ? process.argv0 : process.execPath;
  const [, script = '', ...words] = process.argv;
  return { command, script, args: [...process.execArgv, script, ...words] };
}

export interface Successor {
  readonly channel: LineChannel;
  /** Resolves with how it ended, in words; not any more after `release`. */
  readonly ended: Promise<string>;
  /** Ends it at once. */
  kill(): void;
  /** From now on it is not a child of this process; resolves when that is so. */
  release(): Promise<void>;
}

/**
 * A shell stands between the two. When it is gone, the new process is a child of the service
 * manager, which notices its end at once; the end of a grandchild it would not notice. Both are a
 * process group of their own.
 */
const BETWEEN = '"$0" "$@" & wait "$!"; exit "$?"';
/** What a shell adds to the number of the signal that has ended a program. */
const BY_SIGNAL = 128;

export function startSuccessor(
  { command, args }: Program,
  sockets: readonly number[],
  leaving: readonly number[],
): Successor {
  const { WATCHDOG_PID: _, ...inherited } = process.env;
  const env = { ...inherited, [VARIABLE]: `${sockets.length}:${leaving.length}` };
  const child = spawn('/bin/sh', ['-c', BETWEEN, command, ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...sockets, ...leaving],
  });
  const { pid } = child;
  // Where not even a descriptor was left to try it with, there are no pipes.
  const pipe = pid === undefined ? null : child.stdio[CHANNEL_FD];
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    channel: new LineChannel(pipe instanceof Socket ? pipe : new Socket()),
    ended: endOf(child),
    kill: () => {
      if (pid !== undefined) killGroup(pid);
    },
    release: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No process is left in it.
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`it cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(howEnded(code ?? 0, signal)));
  });
}

/** `signal`: what has ended the shell itself. */
function howEnded(code: number, signal: string | null): string {
  const { signals } = constants;
  const told = Object.entries(signals).find(([, number]) => code === BY_SIGNAL + number)?.[0];
  const by = signal ?? told ?? null;
  if (by !== null) return `it was ended by ${by}`;
  return `it ended with code ${code}; what it said, if anything, is on standard error`;
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
