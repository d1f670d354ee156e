/**
 * A process of this program that starts another one to take its place. What that one shall have is
 * inherited, at known numbers: a socket between the two behind the three standard descriptors, then
 * what is handed over. No path leads there, so nobody else can ask for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
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

/** null: this process takes nobody's place. The variable is removed, so that no other has it. */
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
  readonly args: readonly string[];
}

export function installedProgram(): Program {
  // The name that it was started by: where that is a link, it may lead elsewhere by now.
  const command = isAbsolute(process.argv0) ? process.argv0 : process.execPath;
  return { command, args: [...process.execArgv, ...process.argv.slice(1)] };
}

export interface Successor {
  /** null: it could not be started. */
  readonly pid: number | null;
  readonly channel: LineChannel;
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  /** Ends it at once. */
  kill(): void;
  /** From now on this process may end before it. */
  release(): void;
}

export function startSuccessor(
  { command, args }: Program,
  sockets: readonly number[],
  leaving: readonly number[],
): Successor {
  const { WATCHDOG_PID: _, ...inherited } = process.env;
  const env = { ...inherited, [VARIABLE]: `${sockets.length}:${leaving.length}` };
  const child = spawn(command, args, {
    argv0: process.argv0,
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...sockets, ...leaving],
  });
  // Where not even a descriptor was left to try it with, there are no pipes.
  const pipe = child.pid === undefined ? null : child.stdio[CHANNEL_FD];
  return {
    pid: child.pid ?? null,
    channel: new LineChannel(pipe instanceof Socket ? pipe : new Socket()),
    ended: endOf(child),
    kill: () => void child.kill('SIGKILL'),
    release: () => child.unref(),
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`it cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`);
    });
  });
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
