/** Reads a configuration file from disk: the shell around `loadConfig`. */
import { createHash } from 'node:crypto';
import { accessSync, constants, open as openRaw } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Timers } from '../core/clock.js';
import { err, ok, type Result } from '../core/result.js';
import type { FileState } from './checks/check.js';
import { checkServed } from './checks/served.js';
import type { Issue } from './issue.js';
import { type Loaded, loadConfig } from './load.js';
import { findOccupiedPaths } from './socket_path.js';

/** More than 2048 backends with every key and a comment each. */
export const MAX_CONFIG_BYTES = 4 * 1_048_576;
/** Whoever writes into a pipe that is read as a file must be done by then. */
const PIPE_LIMIT_MS = 5_000;

const BOUNDED = { end: MAX_CONFIG_BYTES };

export interface ReadConfig extends Loaded {
  /** Names the text: see `configHash`. */
  readonly hash: string;
}

/**
 * `loadConfig` of the file at `path`, and a look at the paths that it binds. A file that cannot be
 * read is one issue with a remedy.
 */
export async function readConfig(
  path: string,
  timers: Timers,
): Promise<Result<ReadConfig, readonly Issue[]>> {
  const text = await readConfigText(path, timers);
  if (!text.ok) return err([text.error]);
  const loaded = loadConfig(text.value, path, { further: [checkServed], fileState });
  if (!loaded.ok) return loaded;
  const occupied = findOccupiedPaths(text.value, path, loaded.value.spec);
  if (occupied.length > 0) return err(occupied);
  return ok({ ...loaded.value, hash: configHash(text.value) });
}

function fileState(path: string): FileState {
  try {
    accessSync(path, constants.R_OK);
    return 'readable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'forbidden' : 'missing';
  }
}

/** The text alone, for whoever needs its hash too. Pipes and /dev/stdin are read to their end. */
export async function readConfigText(path: string, timers: Timers): Promise<Result<string, Issue>> {
  try {
    const bytes = await readBounded(path, timers);
    if (bytes === null) {
      return err(unreadable(path, `at most ${MAX_CONFIG_BYTES} bytes`, 'a longer file'));
    }
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an unknown error';
    return err(unreadable(path, REMEDIES[code] ?? 'a readable file', code));
  }
}

/** The first 12 hex digits of SHA-256: tells apart what a daemon has loaded. */
export function configHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Null when there is more than the limit. */
async function readBounded(path: string, timers: Timers): Promise<Uint8Array | null> {
  const isPipe = (await stat(path)).isFIFO();
  const stream = isPipe ? await openPipe(path) : (await open(path)).createReadStream(BOUNDED);
  const limit = isPipe
    ? timers.after(PIPE_LIMIT_MS, () => stream.destroy(new SilentPipe()))
    : undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The stream closes the file, also when the loop is left early or fails.
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_CONFIG_BYTES) break;
  }
  limit?.cancel();
  return length > MAX_CONFIG_BYTES ? null : Buffer.concat(chunks);
}

/**
 * A named pipe is opened at once whether or not somebody writes to it (O_NONBLOCK, fifo(7)), and
 * one that is silent is given up: no reload waits for ever.
 */
async function openPipe(path: string): Promise<Socket> {
  const file = await promisify(openRaw)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd: file, readable: true, writable: false });
}

class SilentPipe extends Error {
  readonly code = 'ETIMEDOUT';
}

function unreadable(file: string, expected: string, got: string): Issue {
  const place = { file, line: 1, column: 1, key: 'file' };
  return { code: 'unreadable', ...place, problem: 'cannot be read', expected, got };
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'a file at this path; -c FILE names another one',
  EACCES: 'a file that this user may read',
  EISDIR: 'a file, and this is a directory',
  ETIMEDOUT: `a pipe whose writer is done within ${PIPE_LIMIT_MS / 1000} s`,
  ERR_ENCODING_INVALID_ENCODED_DATA: 'text in UTF-8',
};
