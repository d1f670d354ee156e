/** systemd, if it started us: by foreign calls where they work, else through systemd-notify(1). */
import { loadKernel } from '../kernel/foreign.js';
import { sendUnixDatagram } from '../kernel/unix_datagram.js';
import {
  createNotifier,
  watchdogIntervalMs as intervalFrom,
  type Notifier,
  spawnSender,
} from '../system/notify.js';

export function serviceManager(): Notifier {
  const kernel = loadKernel();
  const send = kernel.ok
    ? (path: string, bytes: Uint8Array) => void sendUnixDatagram(kernel.value, path, bytes)
    : spawnSender();
  return createNotifier(process.env, send);
}

/** How often systemd wants to hear of us; null: not at all. */
export function watchdogIntervalMs(): number | null {
  return intervalFrom(process.env);
}
