/** Reads a configuration file from disk: the shell around `loadConfig`. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { err, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import type { Issue } from './issue.js';
import { loadConfig } from './load.js';

/** More than 2048 backends with every key and a comment each. */
export const MAX_CONFIG_BYTES = 4 * 1_048_576;

/** `loadConfig` of the file at `path`; a file that cannot be read is one issue with a remedy. */
export async function readConfig(path: string): Promise<Result<Spec, readonly Issue[]>> {
  const text = await readConfigText(path);
  return text.ok ? loadConfig(text.value, path) : err([text.error]);
}

/** The text alone, for whoever needs its hash too. Pipes and /dev/stdin are read to their end. */
export async function readConfigText(path: string): Promise<Result<string, Issue>> {
  try {
    const bytes = await readBounded(path);
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
async function readBounded(path: string): Promise<Uint8Array | null> {
  const file = await open(path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The stream closes the file, also when the loop is left early or fails.
  for await (const chunk of file.createReadStream({ end: MAX_CONFIG_BYTES })) {
    chunks.push(chunk);
    length += chunk.length;
  }
  return length > MAX_CONFIG_BYTES ? null : Buffer.concat(chunks);
}

function unreadable(file: string, expected: string, got: string): Issue {
  const place = { file, line: 1, column: 1, key: 'file' };
  return { code: 'unreadable', ...place, problem: 'cannot be read', expected, got };
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'a file at this path; -c FILE names another one',
  EACCES: 'a file that this user may read',
  EISDIR: 'a file, and this is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'text in UTF-8',
};
