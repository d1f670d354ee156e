/**
 * file: a list of members that another program writes. It is looked at again and again, and not by
 * inotify(7): a look finds a file that was renamed into place, reached by another symbolic link (as
 * Kubernetes mounts them) or written on another machine, and needs no watch that may be lost.
 */
import type { FileSourceSpec, SourceFailure } from '../../core/discovery_spec.js';
import { type FailedRead, markOfUserFile, readUserFile } from '../../files/user_file.js';
import { looksLikeJson, type ReadList, readAddressLines, readTargetGroups } from '../file_sd.js';
import { MAX_ANSWER_BYTES } from '../limits.js';
import {
  type Answer,
  type Failed,
  failed,
  type GiveUp,
  named,
  type Source,
  type SourceDeps,
} from '../source.js';
import { limited, pause } from '../time_limit.js';

/**
 * Effect within two seconds: a look, the time to settle, a reading. A look is 0.1 ms of work, so
 * that a hundred sources cost less than a hundredth of a core.
 */
const LOOK_MS = 1_300;
/** Whoever writes in place is done when nothing has changed for so long. */
const SETTLE_MS = 200;
/** A file that never settles is no list. */
const MAX_SETTLES = 10;
const READ_LIMIT_MS = 3_000;

export function fileSource({ path }: FileSourceSpec, { timers }: SourceDeps): Source {
  /** Of the last list that could be read. */
  let known: string | null = null;

  const look = (signal: GiveUp): Promise<string | FailedRead> =>
    markOfUserFile(path, { signal, tried: 'again' }).then((seen) =>
      seen.kind === 'mark' ? seen.mark : seen,
    );

  /** The mark of a file that stands still. */
  const settled = async (seen: string, signal: GiveUp): Promise<string | FailedRead> => {
    let before = seen;
    for (let turn = 0; turn < MAX_SETTLES; turn++) {
      await pause(timers, SETTLE_MS, signal);
      const now = await look(signal);
      if (typeof now !== 'string' || now === before) return now;
      before = now;
    }
    return { kind: 'failed', code: 'EBUSY', problem: 'it is being written all the time' };
  };

  const ask = async (signal: GiveUp): Promise<Answer> => {
    const seen = await look(signal);
    if (typeof seen !== 'string') return unreadable(path, seen);
    if (seen === known) return { kind: 'unchanged', againMs: LOOK_MS };
    const mark = await settled(seen, signal);
    if (typeof mark !== 'string') return unreadable(path, mark);
    const read = await readUserFile(path, { maxBytes: MAX_ANSWER_BYTES, signal, tried: 'again' });
    if (read.kind === 'failed') return unreadable(path, read);
    if ((await look(signal)) !== mark) return failed('malformed', `${path} changed while read`);
    const list = readList(read.bytes);
    if (!list.ok) return failed('malformed', `${path}: ${list.error}`);
    known = mark;
    return named(list.value, LOOK_MS);
  };

  return { ask: (giveUp) => limited(timers, READ_LIMIT_MS, giveUp, ask) };
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

function unreadable(path: string, { code, problem }: FailedRead): Failed {
  return failed(CODES[code] ?? 'unreachable', `${path}: ${problem}`);
}
