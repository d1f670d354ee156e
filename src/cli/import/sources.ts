/** Reads the files of an import, each bounded in size and time. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfigText } from '../../config/read_config.js';
import { err, ok, type Result } from '../../core/result.js';
import { failedReadOf } from '../../files/user_file.js';
import type { SourceText } from '../../import/source.js';
import { systemTimers } from '../../system/timers.js';

/** More files than any proxy is configured with. */
const MAX_FILES = 1_000;

/** `-` is standard input where it was typed. The error is a sentence that begins with the path. */
export async function readSource(path: string): Promise<Result<SourceText, string>> {
  const read = await readConfigText(path, systemTimers, 'a word');
  if (read.ok) return ok({ file: path, text: read.value });
  const { problem, expected, got } = read.error;
  return err(`${path}: ${problem} (expected ${expected}; got ${got})`);
}

/** In their order; of a folder the files that end in `.cfg`, by name, as `haproxy -f FOLDER`. */
export async function readSources(
  paths: readonly string[],
): Promise<Result<readonly SourceText[], string>> {
  const found: SourceText[] = [];
  for (const path of paths) {
    const listed = await filesOf(path);
    if (!listed.ok) return listed;
    const files = listed.value;
    if (files.length + found.length > MAX_FILES)
      return err(`${path}: more than ${MAX_FILES} files`);
    for (const file of files) {
      const source = await readSource(file);
      if (!source.ok) return source;
      found.push(source.value);
    }
  }
  return ok(found);
}

async function filesOf(path: string): Promise<Result<readonly string[], string>> {
  const found = await stat(path).catch(() => null);
  // The reader of the file says why it cannot be read.
  if (found === null || !found.isDirectory()) return ok([path]);
  const names = await readdir(path).catch(failedReadOf);
  if ('problem' in names) return err(`${path}: ${names.problem}`);
  const files = names.filter((name) => /^[^.].*\.cfg$/.test(name)).sort();
  if (files.length === 0) return err(`${path}: no file in this folder ends in .cfg`);
  return ok(files.map((name) => join(path, name)));
}
