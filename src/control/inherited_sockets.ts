/**
 * Listening sockets that come from the service manager: for the code that opens sockets, and for
 * the log.
 */
import type { DaemonDeps } from './daemon_deps.js';
import { KEEPS_NOTHING } from './kept_sockets.js';
import type { SocketMeans } from './socket_maker.js';

export function meansOf({ sockets, passed, engine }: DaemonDeps): SocketMeans {
  return { keeper: sockets ?? KEEPS_NOTHING, passed, engine };
}

/** The first plan is in force: sockets that were not asked for are closed, or reported. */
export function tellInherited({ sockets, passed, log }: DaemonDeps): void {
  const taken = sockets?.settle() ?? 0;
  if (taken > 0) log.event('sockets-taken-back', { count: taken });
  const unused = passed.unused();
  if (unused.length > 0) log.event('sockets-unused', { detail: unused.join(', ') });
}
