/**
 * file: a list of members that another program writes. It is looked at again and again, and not by
 * inotify(7): a look finds a file that was renamed into place, reached by another symbolic link (as
 * Kubernetes mounts them) or written on another machine, and needs no watch that may be lost.
 */
import type { FileSourceSpec, SourceFailure } from '../../core/discovery_spec.js';
import { readStillFile } from '../../files/still_file.js';
import { type FailedRead, markOfUserFile } from '../../files/user_file.js';
import { looksLikeJson, type ReadList, readAddressLines, readTargetGroups } from '../file_sd.js';
import { MAX_ANSWER_BYTES } from '../limits.js';
import {
  type GiveUp,
  membersFound,
  type Source,
  type SourceAnswer,
  type SourceDeps,
  type SourceFailed,
  sourceFailed,
} from '../source.js';
import { endablePause, withinLimit } from '../time_limit.js';

/**
 * Effect within two seconds: a look, the time to settle, a reading. A look is 0.1 ms of work, so
 * that a hundred sources cost less than a hundredth of a core.
 */
const LOOK_MS = 1_300;
const SETTLE_MS = 200;
const READ_LIMIT_MS = 3_000;

export function fileSource({ path }: FileSourceSpec, { clock, timers }: SourceDeps): Source {
  /** Of the last list that could be read. */
  let known: string | null = null;

  const ask = async (signal: GiveUp): Promise<SourceAnswer> => {
    const seen = await markOfUserFile(path, { signal, tried: 'again' });
    if (seen.kind === 'failed') return unreadable(path, seen);
    if (seen.mark === known) return { kind: 'unchanged', againMs: LOOK_MS };
    // What is open stays what it is, however often another file is renamed over it meanwhile.
    const read = await readStillFile(path, {
      maxBytes: MAX_ANSWER_BYTES,
      settleMs: SETTLE_MS,
      signal,
      tried: 'again',
      pause: (delayMs) => endablePause(timers, delayMs, signal),
      wallMs: () => clock.wallMs(),
    });
    if (read.kind === 'failed') return unreadable(path, read);
    const list = readList(Buffer.concat(read.parts));
    if (!list.ok) return sourceFailed('malformed', `${path}: ${list.error}`);
    known = read.mark;
    return membersFound(list.value, LOOK_MS);
  };

  return { ask: (giveUp) => withinLimit(timers, READ_LIMIT_MS, giveUp, ask) };
}

function readList(bytes: Uint8Array): ReadList {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, error: 'it is not text in UTF-8' };
  }
  return looksLikeJson(text) ? readTargetGroups(text) : readAddressLines(text);
}

const CODES: Readonly<Record<string, SourceFailure>> = {
  ETIMEDOUT: 'timeout',
  EHUNG: 'timeout',
  EBUSY: 'timeout',
  EFBIG: 'too-much',
  EACCES: 'refused',
};

function unreadable(path: string, { code, problem }: FailedRead): SourceFailed {
  return sourceFailed(CODES[code] ?? 'unreachable', `${path}: ${problem}`);
}
