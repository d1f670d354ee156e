/**
 * Reports the state of the daemon to systemd: sd_notify(3). Node.js has no UNIX datagram socket, so
 * the way to send one comes as an argument: src/kernel has a foreign call, `spawnSender` starts a
 * command.
 */
import { spawn } from 'node:child_process';

/** The variables that systemd sets; `process.env` fits. */
export interface NotifyEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/**
 * Sends one datagram to a UNIX socket. `path` begins with `/`, or with `@` for an abstract name.
 */
export type SendUnixDatagram = (
  path: string,
  bytes: Uint8Array,
  descriptors?: readonly number[],
) => void;

export interface Notifier {
  /** Start-up, or a reload, is complete. */
  ready(): void;
  /** A reload begins; `monotonicUsec` is CLOCK_MONOTONIC now. `ready` must follow. */
  reloading(monotonicUsec: bigint): void;
  /** A stop begins. */
  stopping(): void;
  /** What is under way (the stop) takes at most this long, whatever the unit's own limit is. */
  extend(ms: number): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Sockets outlive the process from now on, by that name (sd_pid_notify_with_fds(3)). */
  keep(name: string, descriptors: readonly number[]): void;
  /** They need not any more. */
  forget(name: string): void;
  /** Another process is the service from now on. */
  mainPid(pid: number): void;
  /** The daemon is alive; due at least every `watchdogIntervalMs`. */
  watchdog(): void;
}

/**
 * A notifier for the socket that `env` names (NOTIFY_SOCKET); without one, or with a kind of
 * address that is unknown here (vsock), every call does nothing. What `send` throws is dropped: the
 * service manager's trouble must not become the daemon's.
 */
export function createNotifier(env: NotifyEnvironment, send: SendUnixDatagram): Notifier {
  const path = env.NOTIFY_SOCKET ?? '';
  const known = path.startsWith('/') || path.startsWith('@');
  const tellWith = (descriptors: readonly number[], ...lines: string[]): void => {
    if (!known) return;
    try {
      send(path, Buffer.from(`${lines.join('\n')}\n`), descriptors);
    } catch {
      // The service manager went away, or its socket is full: the next message tries again.
    }
  };
  const tell = (...lines: string[]): void => tellWith([], ...lines);
  return {
    ready: () => tell('READY=1'),
    reloading: (monotonicUsec) => tell('RELOADING=1', `MONOTONIC_USEC=${monotonicUsec}`),
    stopping: () => tell('STOPPING=1'),
    // sd_notify(3): it never makes a limit earlier.
    extend: (ms) => tell(`EXTEND_TIMEOUT_USEC=${Math.ceil(ms * 1000)}`),
    status: (text) => tell(`STATUS=${text.replaceAll(/\s+/g, ' ')}`),
    // A socket is kept whatever poll(2) says of it: what listens has no end of stream.
    keep: (name, descriptors) =>
      tellWith(descriptors, 'FDSTORE=1', `FDNAME=${fdName(name)}`, 'FDPOLL=0'),
    forget: (name) => tell('FDSTOREREMOVE=1', `FDNAME=${fdName(name)}`),
    mainPid: (pid) => tell(`MAINPID=${pid}`),
    watchdog: () => tell('WATCHDOG=1'),
  };
}

/** Whether `fdName` has made the name of a descriptor, and not an operator. */
export function isKeptName(name: string): boolean {
  return /^(?:tcp|udp)%2F/.test(name);
}

export interface HoldingNotifier extends Notifier {
  /** Sends what was reported, and from now on what is reported. */
  release(): void;
  /** Another process is the service now: what this one does is not reported any more. */
  fallSilent(): void;
}

/**
 * Keeps reports back until `release`: a process that takes the place of another one is not the
 * service yet, and may never be.
 */
export function holdingNotifier(inner: Notifier): HoldingNotifier {
  let held: (() => void)[] | null = [];
  let state: 'telling' | 'silent' = 'telling';
  const soon = (tell: () => void): void => {
    if (state === 'silent') return;
    if (held === null) tell();
    else held.push(tell);
  };
  return {
    ready: () => soon(() => inner.ready()),
    reloading: (monotonicUsec) => soon(() => inner.reloading(monotonicUsec)),
    stopping: () => soon(() => inner.stopping()),
    extend: (ms) => soon(() => inner.extend(ms)),
    status: (text) => soon(() => inner.status(text)),
    keep: (name, descriptors) => soon(() => inner.keep(name, descriptors)),
    forget: (name) => soon(() => inner.forget(name)),
    mainPid: (pid) => soon(() => inner.mainPid(pid)),
    watchdog: () => soon(() => inner.watchdog()),
    release: () => {
      const told = held ?? [];
      held = null;
      for (const tell of told) tell();
    },
    fallSilent: () => {
      state = 'silent';
    },
  };
}

/** systemd takes names of up to 255 characters of ASCII, and no colon (sd_notify(3), FDNAME). */
function fdName(name: string): string {
  return encodeURIComponent(name).slice(0, 255);
}

/**
 * How often to call `watchdog`: half of the time that systemd allows (sd_watchdog_enabled(3)
 * recommends it). null: systemd watches nothing, or another process than `pid`.
 */
export function watchdogIntervalMs(
  env: NotifyEnvironment,
  pid: number = process.pid,
): number | null {
  const usec = Number(env.WATCHDOG_USEC);
  if (!Number.isSafeInteger(usec) || usec <= 0) return null;
  const watched = env.WATCHDOG_PID;
  if (watched !== undefined && watched !== String(pid)) return null;
  return usec / 2000;
}

/**
 * Sends through the command `systemd-notify`, one at a time so that the order is kept. Needs
 * `NotifyAccess=all` in the unit, because the message comes from another process; a machine
 * without the command sends nothing. About 5 ms of another core a message.
 */
export function spawnSender(command = 'systemd-notify'): SendUnixDatagram {
  let last: Promise<void> = Promise.resolve();
  return (path, bytes) => {
    const lines = Buffer.from(bytes).toString().trimEnd().split('\n');
    last = last.then(() => run(command, lines, path));
  };
}

function run(command: string, lines: readonly string[], socket: string): Promise<void> {
  return new Promise((resolve) => {
    const env = { ...process.env, NOTIFY_SOCKET: socket };
    const child = spawn(command, lines, { env, stdio: 'ignore' });
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}
