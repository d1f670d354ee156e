/** `sluice ctl` as a user types it, and a daemon with a socket for it. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { BINARY, type Daemon, type DaemonSetup, startDaemon } from './daemon.js';
import { tempFolder } from './places.js';
import { type ChildOptions, type Output, runToEnd } from './process.js';

export interface Operated {
  readonly daemon: Daemon;
  readonly socket: string;
  /** Runs a command; whatever its exit code. */
  readonly ctl: (...args: readonly string[]) => Promise<Output>;
  /** The answer of one that must be done, as JSON. */
  readonly ask: <T>(...args: readonly string[]) => Promise<T>;
}

/** Starts a daemon with a control socket. */
export async function startOperated(t: Test, setup: DaemonSetup): Promise<Operated> {
  const socket = setup.socket ?? join(tempFolder(t), 'admin.sock');
  const daemon = await startDaemon(t, { ...setup, socket });
  await daemon.event('control-listening');
  const ctl = (...args: readonly string[]) => runCtl(socket, args);
  return { daemon, socket, ctl, ask: (...args) => askCtl(socket, args) };
}

export function runCtl(
  socket: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Output> {
  return runToEnd(process.execPath, [BINARY, 'ctl', ...args, '--socket', socket], options);
}

async function askCtl<T>(socket: string, args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCtl(socket, [...args, '--json']);
  if (code !== 0) throw new Error(`sluice ctl ${args.join(' ')}: exit ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
