/**
 * A systemd of its own, for tests of the unit: systemd-nspawn boots this machine's /usr with empty
 * /etc and /var (`--volatile=yes`) in a second, shares the network, and vanishes with the test.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { eventually } from './deadline.js';
import { type Child, mustRun, type Output, runToEnd, startChild } from './process.js';
import { findProgram, program } from './require_server.js';

/** A package that is installed, or a service that starts, on a machine with much else to do. */
const COMMAND_MS = 60_000;

/** Why a container cannot be booted here; null: it can. */
export function nspawnMissing(): string | null {
  if (process.getuid?.() !== 0) return 'booting a container needs root';
  if (findProgram('systemd-nspawn') === null) return 'systemd-nspawn is not installed';
  if (!process.execPath.startsWith('/usr/')) return 'Node.js is not below /usr';
  return null;
}

export class Container {
  readonly #leader: number;

  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Runs a command inside, to its end. */
  run(...command: readonly string[]): Promise<Output> {
    return runToEnd(program('nsenter'), this.#inside(command), { limitMs: COMMAND_MS });
  }

  /** As `run`; an exit code other than 0 is an error. */
  must(...command: readonly string[]): Promise<string> {
    return mustRun(program('nsenter'), this.#inside(command), { limitMs: COMMAND_MS });
  }

  #inside(command: readonly string[]): readonly string[] {
    return ['-t', String(this.#leader), '-a', ...command];
  }

  /** A property of a unit, as `systemctl show` prints it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.must('systemctl', 'show', '--value', '-p', name, unit)).trim();
  }
}

/** Boots to basic.target with the folders and files of `binds` (host path to container path). */
export function bootContainer(
  t: Test,
  binds: Readonly<Record<string, string>>,
): Promise<Container> {
  const mounts = Object.entries(binds).map(([from, to]) => `--bind-ro=${from}:${to}`);
  return boot(t, ['--directory=/', '--volatile=yes', ...mounts]);
}

/** Boots the system in `folder`, which keeps what happens to it. */
export function bootFolder(t: Test, folder: string): Promise<Container> {
  return boot(t, [`--directory=${folder}`]);
}

async function boot(t: Test, what: readonly string[]): Promise<Container> {
  const child = startChild(
    t,
    program('systemd-nspawn'),
    [
      ...what,
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      '--machine=sluice-test',
      '--kill-signal=SIGRTMIN+4',
      '--system-call-filter=@aio',
      '--boot',
      '--',
      '--unit=basic.target',
    ],
    { endSignal: 'SIGTERM' },
  );
  const container = new Container(await leaderOf(child));
  await eventually('the container is up', async () => {
    const { stdout } = await container.run('systemctl', 'is-active', 'basic.target');
    return stdout.trim() === 'active' ? true : undefined;
  });
  return container;
}

/** The container's PID 1 as this machine sees it: systemd-nspawn's child, once it runs systemd. */
function leaderOf(nspawn: Child): Promise<number> {
  return eventually('the container starts', () => {
    if (!nspawn.running) throw new Error(nspawn.stderr.past.join(' | '));
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const process = nameAndParent(pid);
      if (process?.parent === nspawn.pid && process.name === 'systemd') return Number(pid);
    }
    return undefined;
  });
}

/** From /proc/PID/stat (proc(5)); null when the process has gone. */
function nameAndParent(pid: string): { readonly name: string; readonly parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const close = stat.lastIndexOf(')');
    const parent = Number(stat.slice(close + 2).split(' ')[1]);
    return { name: stat.slice(stat.indexOf('(') + 1, close), parent };
  } catch {
    return null;
  }
}
