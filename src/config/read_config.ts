/** Reads a configuration file from disk: the shell around `loadConfig`. */
import { createHash } from 'node:crypto';
import type { Timers } from '../core/clock.js';
import { err, ok, type Result } from '../core/result.js';
import { within } from '../core/within.js';
import { lookAtUserFile, readStandardInput, readUserFile } from '../files/user_file.js';
import type { FileState } from './checks/check.js';
import { checkServed } from './checks/served.js';
import type { Issue } from './issue.js';
import { type Loaded, loadConfig } from './load.js';
import { findMissingAccounts } from './missing_accounts.js';
import { findMissingAddresses } from './missing_addresses.js';
import { findBadControlPath, findBadPaths } from './socket_path.js';

/** A kilobyte for each of the most backends: every key of it, and a comment. */
export const MAX_CONFIG_BYTES = 16 * 1_048_576;
/** A reload waits no longer; what writes into a pipe must be done by then. */
const READ_LIMIT_MS = 5_000;

export interface ReadConfig extends Loaded {
  /** Names the text: see `configHash`. */
  readonly hash: string;
}

/**
 * Where the path comes from; a remedy about the path is only for an operator who gave it, and only
 * a path that was typed may be STANDARD_INPUT.
 */
export type NamedBy = '-c' | 'a word' | 'other means';

/** As other tools have it. It is read once, to its end. */
export const STANDARD_INPUT = '-';

/**
 * `loadConfig` of the file at `path`, and a look at the paths that it binds. A file that cannot be
 * read is one issue with a remedy.
 */
export async function readConfig(
  path: string,
  timers: Timers,
  namedBy: NamedBy = 'other means',
): Promise<Result<ReadConfig, readonly Issue[]>> {
  const text = await readConfigText(path, timers, namedBy);
  if (!text.ok) return err([text.error]);
  const loaded = await loadWithFiles(text.value, path, timers);
  if (!loaded.ok) return loaded;
  const badPaths = findBadPaths(text.value, path, loaded.value.spec);
  if (badPaths.length > 0) return err(badPaths);
  const missing = await findMissingAddresses(text.value, path, loaded.value.spec);
  const accounts = findMissingAccounts(text.value, path, loaded.value.spec);
  const control = findBadControlPath(text.value, path, loaded.value.spec);
  const warnings = [...loaded.value.warnings, ...missing, ...accounts, ...control];
  return ok({ ...loaded.value, warnings, hash: configHash(text.value) });
}

/** Looks at the files that the text names only when it is known which those are. */
async function loadWithFiles(
  text: string,
  path: string,
  timers: Timers,
): Promise<Result<Loaded, readonly Issue[]>> {
  const named = new Set<string>();
  const further = [checkServed];
  const fileState = (file: string): FileState => {
    named.add(file);
    return 'readable';
  };
  const loaded = loadConfig(text, path, { further, fileState });
  if (!loaded.ok || named.size === 0) return loaded;
  const states = await within(timers, READ_LIMIT_MS, (signal) => statesOf([...named], signal));
  if ([...states.values()].every((state) => state === 'readable')) return loaded;
  return loadConfig(text, path, {
    further,
    fileState: (file) => states.get(file) ?? 'readable',
  });
}

/** By path; one that does not answer in time is said to be silent. */
async function statesOf(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FileState>> {
  const states = new Map<string, FileState>();
  // One after the other: those that hang must not take every thread.
  for (const path of paths) states.set(path, await lookAtUserFile(path, { signal, tried: 'once' }));
  return states;
}

/**
 * The text alone, for callers that need its hash, too. Pipes and /dev/stdin are read to their end.
 */
export async function readConfigText(
  path: string,
  timers: Timers,
  namedBy: NamedBy = 'other means',
): Promise<Result<string, Issue>> {
  const read =
    path === STANDARD_INPUT && namedBy !== 'other means'
      ? await readStandardInput(MAX_CONFIG_BYTES)
      : await within(timers, READ_LIMIT_MS, (signal) =>
          readUserFile(path, { maxBytes: MAX_CONFIG_BYTES, signal, tried: 'once' }),
        );
  if (read.kind === 'failed') {
    const { expected = 'a readable file', got = read.code } = REMEDIES[read.code] ?? {};
    const isOption = read.code === 'ENOENT' && namedBy === '-c';
    return err(
      unreadable(path, isOption ? `${expected}; -c FILE names another one` : expected, got),
    );
  }
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(read.bytes) };
  } catch {
    return err(unreadable(path, 'text in UTF-8', 'other bytes'));
  }
}

/** The first 12 hex digits of SHA-256: identifies what a daemon has loaded. */
export function configHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function unreadable(file: string, expected: string, got: string): Issue {
  const place = { file, line: 1, column: 1, key: 'file' };
  return { code: 'unreadable', ...place, problem: 'cannot be read', expected, got };
}

const IN_TIME = `a file that can be read within ${READ_LIMIT_MS / 1000} s`;

const REMEDIES: Readonly<
  Record<string, { readonly expected: string; readonly got?: string } | undefined>
> = {
  ENOENT: { expected: 'a file at this path' },
  EACCES: { expected: 'a file that this user may read' },
  EISDIR: { expected: 'a file, and this is a directory' },
  ENODATAFILE: { expected: 'a regular file or a pipe', got: 'a device or a socket' },
  ENOTCONN: { expected: 'a file, a pipe or a connection', got: 'a socket without a connection' },
  EFBIG: { expected: `at most ${MAX_CONFIG_BYTES} bytes`, got: 'a longer file' },
  EAGAIN: { expected: IN_TIME, got: 'one whose reader waits for ever' },
  ETIMEDOUT: { expected: `${IN_TIME}, or a pipe whose writer is done by then` },
  EHUNG: {
    expected: 'a file system that answers',
    got: 'earlier reads that have not come back',
  },
};
