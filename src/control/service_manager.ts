/** systemd, if it started us: by foreign calls where they work, else through systemd-notify(1). */
import { loadKernel } from '../kernel/foreign.js';
import { sendUnixDatagram } from '../kernel/unix_datagram.js';
import type { Log } from '../observe/log.js';
import { takeInherited } from '../system/inherited.js';
import {
  createNotifier,
  watchdogIntervalMs as intervalFrom,
  type Notifier,
  type SendUnixDatagram,
  spawnSender,
} from '../system/notify.js';
import { KeptSockets } from './kept_sockets.js';

export function serviceManager(): Notifier {
  const kernel = loadKernel();
  const send = kernel.ok
    ? (...message: Parameters<SendUnixDatagram>) => void sendUnixDatagram(kernel.value, ...message)
    : spawnSender();
  return createNotifier(process.env, send);
}

/**
 * The listening sockets that systemd has kept, and keeps from now on; null: there is no systemd, or
 * it can be given none.
 */
export function keptSockets(notifier: Notifier, log: Log): KeptSockets | null {
  const inherited = takeInherited(process.env);
  if (process.env['NOTIFY_SOCKET'] === undefined && inherited.length === 0) return null;
  const kernel = loadKernel();
  if (kernel.ok) return new KeptSockets(kernel.value, notifier, inherited);
  log.event('sockets-not-kept', { detail: kernel.error });
  return null;
}

/** How often systemd wants to hear of us; null: not at all. */
export function watchdogIntervalMs(): number | null {
  return intervalFrom(process.env);
}
