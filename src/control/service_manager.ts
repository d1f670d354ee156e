/** systemd, if it started us: by foreign calls where they work, else through systemd-notify(1). */
import { loadKernel } from '../kernel/foreign.js';
import { sendUnixDatagram } from '../kernel/unix_datagram.js';
import type { Log } from '../observe/log.js';
import { takeInherited } from '../system/inherited.js';
import {
  createNotifier,
  watchdogIntervalMs as intervalFrom,
  isKeptName,
  type Notifier,
  type SendUnixDatagram,
  spawnSender,
} from '../system/notify.js';
import { type HandedSocket, KeptSockets } from './kept_sockets.js';
import { PassedSockets, passedBefore } from './passed_sockets.js';

export function serviceManager(): Notifier {
  const kernel = loadKernel();
  const send = kernel.ok
    ? (...message: Parameters<SendUnixDatagram>) => void sendUnixDatagram(kernel.value, ...message)
    : spawnSender();
  return createNotifier(process.env, send);
}

export interface ManagedSockets {
  /** That outlive a process; null: foreign calls are not possible here. */
  readonly sockets: KeptSockets | null;
  /** What systemd has opened itself. */
  readonly passed: PassedSockets;
}

/** The listening sockets that systemd passes to this process, or the one before has `handed`. */
export function managedSockets(
  notifier: Notifier,
  log: Log,
  store: 'kept' | 'not kept',
  handed: readonly HandedSocket[],
): ManagedSockets {
  const inherited = takeInherited(process.env);
  const kept = inherited
    .filter(({ name }) => isKeptName(name))
    .map(({ fd }): HandedSocket => ({ fd, name: null }));
  const kernel = loadKernel();
  const passed = new PassedSockets(kernel, [
    ...inherited.filter(({ name }) => !isKeptName(name)),
    ...handed.flatMap((socket) => passedBefore(socket) ?? []),
  ]);
  const before = handed.filter((socket) => passedBefore(socket) === null);
  const hasManager = process.env['NOTIFY_SOCKET'] !== undefined || kept.length > 0;
  const keeps = hasManager ? store : 'not kept';
  if (kernel.ok) {
    return {
      sockets: new KeptSockets(kernel.value, notifier, [...kept, ...before], keeps),
      passed,
    };
  }
  if (keeps === 'kept') log.event('sockets-not-kept', { detail: kernel.error });
  return { sockets: null, passed };
}

/** How often systemd wants a sign of life; null: not at all. */
export function serviceWatchdogMs(): number | null {
  return intervalFrom(process.env);
}
