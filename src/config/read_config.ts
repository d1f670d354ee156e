/** Reads a configuration file from disk: the shell around `loadConfig`. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { err, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import type { Issue } from './issue.js';
import { loadConfig } from './load.js';

/** `loadConfig` of the file at `path`; a file that cannot be read is one issue with a remedy. */
export async function readConfig(path: string): Promise<Result<Spec, readonly Issue[]>> {
  try {
    return loadConfig(await readFile(path, 'utf8'), path);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return err([unreadable(path, errno)]);
  }
}

/** The first 12 hex digits of SHA-256: tells apart what a daemon has loaded. */
export function configHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function unreadable(file: string, errno: string): Issue {
  const expected = REMEDIES[errno] ?? 'a readable file';
  const problem = 'cannot be read';
  return {
    code: 'unreadable',
    file,
    line: 1,
    column: 1,
    key: 'file',
    problem,
    expected,
    got: errno,
  };
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'a file at this path; -c FILE names another one',
  EACCES: 'a file that this user may read',
  EISDIR: 'a file; this is a directory',
};
