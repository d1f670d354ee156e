/** `sluice import haproxy` and `sluice import nginx`. */
import { capabilities } from '../../import/capabilities.js';
import { importHaproxy } from '../../import/haproxy/import.js';
import { importNginx } from '../../import/nginx/import.js';
import type { GroupCommand } from '../main.js';
import type { OptionDescription } from '../option.js';
import type { Words } from '../word_reader.js';
import { readIncluded } from './included.js';
import { finish } from './run.js';
import { readSource, readSources } from './sources.js';

const OPTIONS: readonly OptionDescription[] = [
  {
    flags: '-o, --output <file>',
    description: 'where the translation goes; without it, to standard output',
  },
];

const NOTES = `The report goes to standard error: every word of the files is translated, changed in
meaning (and how), or dropped (and why). Exit code 0: nothing was dropped; 1: something
was, or nothing could be written; 2: wrong usage.`;

export const IMPORT_COMMANDS: readonly GroupCommand[] = [
  {
    name: 'haproxy',
    description: 'translate what HAProxy does in mode tcp',
    positionals: [
      { usage: '<file...>', description: 'files in their order, or folders of .cfg files' },
    ],
    options: OPTIONS,
    notes: NOTES,
    run: fromHaproxy,
  },
  {
    name: 'nginx',
    description: 'translate what nginx does in stream {}',
    positionals: [
      { usage: '<file>', description: 'nginx.conf; what it includes is read below its folder' },
    ],
    options: OPTIONS,
    notes: NOTES,
    run: fromNginx,
  },
];

async function fromHaproxy(words: Words, paths: readonly string[]): Promise<number> {
  const sources = await readSources(paths);
  if (!sources.ok) return complain(sources.error);
  const { env, stdout, stderr } = process;
  const given = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const result = importHaproxy(sources.value, new Map(given), capabilities());
  return finish(result, { sources: sources.value, output: outputOf(words), stdout, stderr });
}

async function fromNginx(words: Words, [path = '']: readonly string[]): Promise<number> {
  const source = await readSource(path);
  if (!source.ok) return complain(source.error);
  const included = await readIncluded(source.value);
  if (!included.ok) return complain(included.error);
  const sources = [source.value, ...[...included.value.values()].flat()];
  const { stdout, stderr } = process;
  const result = importNginx(source.value, included.value, capabilities());
  return finish(result, { sources, output: outputOf(words), stdout, stderr });
}

function outputOf(words: Words): string | undefined {
  const output = words['output'];
  return output === undefined ? undefined : String(output);
}

function complain(problem: string): number {
  process.stderr.write(`${problem}\n`);
  return 1;
}
