/** What an nginx file includes: files below its folder, by patterns with `*` and `?`. */
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { ok, type Result } from '../../core/result.js';
import { type Included, includePatterns } from '../../import/nginx/import.js';
import type { SourceText } from '../../import/source.js';
import { readSource } from './sources.js';

/** More files than any proxy is configured with. */
const MAX_FILES = 1_000;

/** Patterns that lead out of the folder are not in the answer. The error is a sentence. */
export async function readIncluded(source: SourceText): Promise<Result<Included, string>> {
  const folder = resolve(dirname(source.file));
  const found = new Map<string, readonly SourceText[]>();
  let count = 0;
  for (const wanted = [...includePatterns(source)]; wanted.length > 0; ) {
    const pattern = wanted.shift() ?? '';
    const paths = found.has(pattern) ? null : await pathsOf(folder, pattern);
    if (paths === null) continue;
    const sources: SourceText[] = [];
    for (const path of paths.slice(0, MAX_FILES - count)) {
      const read = await readSource(path);
      if (!read.ok) return read;
      sources.push(read.value);
      wanted.push(...includePatterns(read.value));
    }
    count += sources.length;
    found.set(pattern, sources);
  }
  return ok(found);
}

/** Null: it leads out of `folder`, or its folders have patterns themselves. */
async function pathsOf(folder: string, pattern: string): Promise<readonly string[] | null> {
  const path = resolve(folder, pattern);
  const below = relative(folder, path);
  if (below.startsWith(`..${sep}`) || below === '..' || /[*?[]/.test(dirname(below))) return null;
  const name = path.slice(dirname(path).length + 1);
  if (!/[*?[]/.test(name)) return [path];
  if (name.includes('[')) return null;
  const test = new RegExp(
    `^${name
      .split(/([*?])/)
      .map(expression)
      .join('')}$`,
  );
  try {
    const names = await readdir(dirname(path));
    const fitting = names.filter((one) => test.test(one) && !one.startsWith('.'));
    return fitting.sort().map((one) => join(dirname(path), one));
  } catch {
    return [];
  }
}

function expression(piece: string): string {
  if (piece === '*') return '.*';
  return piece === '?' ? '.' : piece.replace(/[.+^${}()|[\]\\]/g, '\\$&');
}
