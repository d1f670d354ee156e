/**
 * A regular file that another program may be writing just now. It is opened, and read when it has
 * stood still for a while: what is written in place is whole by then, and a file that is renamed
 * over meanwhile stays what it was.
 */
import { open, stat } from 'node:fs/promises';
import {
  bounded,
  type FailedRead,
  failedRead,
  markOf,
  type ReadBounds,
  readParts,
  stampOf,
  unfit,
  WITHOUT_WAITING,
} from './user_file.js';

export interface StillBounds extends ReadBounds {
  /** A file that is written in place is complete when nothing has changed for this long. */
  readonly settleMs: number;
  readonly pause: (delayMs: number) => Promise<void>;
  /** To compare with when a file was written last. */
  readonly wallMs: () => number;
}

export type StillRead =
  | {
      readonly kind: 'read';
      readonly parts: readonly Buffer[];
      /** What `markOfUserFile` would have returned for the file that was read. */
      readonly mark: string;
    }
  | FailedRead;

/** A file that never settles is none. */
const MAX_SETTLES = 6;
/**
 * A start or reload does not wait for files that are older than this; clocks of file systems do not
 * differ by as much.
 */
const OLD_MS = 60_000;

/** As `readUserFile`; pipes are refused, which are empty after they were read once. */
export function readStillFile(path: string, bounds: StillBounds): Promise<StillRead> {
  return bounded<StillRead>(path, bounds, () => read(path, bounds));
}

async function read(path: string, bounds: StillBounds): Promise<StillRead> {
  const { maxBytes, settleMs, signal, pause, wallMs } = bounds;
  const unusable = unfit(await stat(path), 'regular');
  if (unusable !== null) return failedRead(unusable);
  const file = await open(path, WITHOUT_WAITING);
  try {
    let before = await file.stat();
    // Something else may have taken its place meanwhile.
    const swapped = unfit(before, 'regular');
    if (swapped !== null) return failedRead(swapped);
    for (let turn = 0; turn < MAX_SETTLES && !signal.aborted; turn++) {
      if (wallMs() - before.mtimeMs < OLD_MS) await pause(settleMs);
      const still = await file.stat();
      if (still.size > maxBytes) return failedRead('EFBIG');
      const isStill = stampOf(still) === stampOf(before);
      before = still;
      if (!isStill) continue;
      const parts = await readParts(file, bounds, 'its start');
      before = await file.stat();
      if (stampOf(still) !== stampOf(before)) continue;
      return { kind: 'read', parts, mark: markOf(still) };
    }
    return failedRead('EBUSY');
  } finally {
    await file.close();
  }
}
