/** Access lines of the daemon under test, as its log has them. */
import type { Daemon, LogRecord } from './daemon.js';

export interface AccessLine {
  readonly id: string;
  readonly listener: string;
  readonly client: string;
  readonly local: string;
  readonly pool: string | null;
  readonly backend: string | null;
  readonly policy: string | null;
  readonly tried: readonly string[];
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly duration_ms: number;
  readonly unlogged: number;
  readonly outcome: { readonly by: string; readonly stage: string; readonly cause: string };
}

const EVENT = 'session';

/** The first access line, past or future, for which `where` holds. */
export async function accessLine(
  daemon: Daemon,
  what: string,
  where: (line: AccessLine) => boolean,
): Promise<AccessLine> {
  const record = await daemon.events.first(
    `the access line of ${what}`,
    (candidate) => candidate.event === EVENT && where(asLine(candidate)),
  );
  return asLine(record);
}

/** All access lines so far. */
export function accessLines(daemon: Daemon): readonly AccessLine[] {
  return daemon.eventsNamed(EVENT).map(asLine);
}

function asLine(record: LogRecord): AccessLine {
  return record as unknown as AccessLine;
}
