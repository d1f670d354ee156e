/** Descriptors that the service manager has passed on: sd_listen_fds(3). */

/** The variables that systemd sets; `process.env` fits. */
export interface ListenEnvironment {
  LISTEN_PID?: string | undefined;
  LISTEN_FDS?: string | undefined;
  LISTEN_FDNAMES?: string | undefined;
}

/** SD_LISTEN_FDS_START: behind the three standard ones. */
const FIRST = 3;

export interface InheritedDescriptor {
  readonly fd: number;
  readonly name: string;
}

/** The name of what has none, as sd_listen_fds_with_names(3) has it. */
const NAMELESS = 'unknown';

/**
 * The descriptors that were passed to process `pid`. The variables are removed, so that no program
 * that is started from here takes them for its own.
 */
export function takeInherited(
  env: ListenEnvironment,
  pid: number = process.pid,
): InheritedDescriptor[] {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS) : 0;
  const names = env.LISTEN_FDNAMES?.split(':') ?? [];
  delete env.LISTEN_PID;
  delete env.LISTEN_FDS;
  delete env.LISTEN_FDNAMES;
  if (!Number.isSafeInteger(count) || count <= 0) return [];
  return Array.from({ length: count }, (_, index) => ({
    fd: FIRST + index,
    name: names[index] ?? NAMELESS,
  }));
}
