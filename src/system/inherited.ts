/** Descriptors that the service manager has passed on: sd_listen_fds(3). */

/** The variables that systemd sets; `process.env` fits. */
export interface ListenEnvironment {
  LISTEN_PID?: string | undefined;
  LISTEN_FDS?: string | undefined;
  LISTEN_FDNAMES?: string | undefined;
}

/** SD_LISTEN_FDS_START: behind the three standard ones. */
const FIRST = 3;

/**
 * The descriptors that were passed to process `pid`. The variables are removed, so that no program
 * that is started from here takes them for its own.
 */
export function takeInherited(env: ListenEnvironment, pid: number = process.pid): number[] {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS) : 0;
  delete env.LISTEN_PID;
  delete env.LISTEN_FDS;
  delete env.LISTEN_FDNAMES;
  if (!Number.isSafeInteger(count) || count <= 0) return [];
  return Array.from({ length: count }, (_, index) => FIRST + index);
}
