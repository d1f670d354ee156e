/** Listening sockets that come from the service manager: for whoever opens, and for the log. */
import type { DaemonDeps } from './daemon_deps.js';
import { NOBODY_KEEPS } from './kept_sockets.js';
import type { SocketMeans } from './socket_maker.js';

export function meansOf({ sockets, passed, engine }: DaemonDeps): SocketMeans {
  return { keeper: sockets ?? NOBODY_KEEPS, passed, engine };
}

/** The first plan is in force: what was not asked for is let go, or told. */
export function tellInherited({ sockets, passed, log }: DaemonDeps): void {
  const taken = sockets?.settle() ?? 0;
  if (taken > 0) log.event('sockets-taken-back', { count: taken });
  const unused = passed.unused();
  if (unused.length > 0) log.event('sockets-unused', { detail: unused.join(', ') });
}
