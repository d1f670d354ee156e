/** Reads what is to be translated, translates it, and writes what came of it. */
import { capabilities } from '../../import/capabilities.js';
import { importHaproxy } from '../../import/haproxy/import.js';
import { importNginx } from '../../import/nginx/import.js';
import type { Words } from '../word_reader.js';
import { readIncluded } from './included.js';
import { writeResult } from './run.js';
import { readSource, readSources } from './sources.js';

export async function fromHaproxy(words: Words, paths: readonly string[]): Promise<number> {
  const sources = await readSources(paths);
  if (!sources.ok) return complain(sources.error);
  const { env, stdout, stderr } = process;
  const given = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const result = importHaproxy(sources.value, new Map(given), capabilities());
  return writeResult(result, { sources: sources.value, output: outputOf(words), stdout, stderr });
}

export async function fromNginx(words: Words, [path = '']: readonly string[]): Promise<number> {
  const source = await readSource(path);
  if (!source.ok) return complain(source.error);
  const included = await readIncluded(source.value);
  if (!included.ok) return complain(included.error);
  const sources = [source.value, ...[...included.value.values()].flat()];
  const { stdout, stderr } = process;
  const result = importNginx(source.value, included.value, capabilities());
  return writeResult(result, { sources, output: outputOf(words), stdout, stderr });
}

function outputOf(words: Words): string | undefined {
  const output = words['output'];
  return output === undefined ? undefined : String(output);
}

function complain(problem: string): number {
  process.stderr.write(`${problem}\n`);
  return 1;
}
