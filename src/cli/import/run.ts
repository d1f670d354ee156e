/** What `sluice import` does, whatever it imports: read, translate, check, write, report. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkServed } from '../../config/checks/served.js';
import { formatIssue, formatWarning } from '../../config/issue.js';
import { loadConfig } from '../../config/load.js';
import { formatReport } from '../../import/report.js';
import type { ImportResult, SourceText } from '../../import/source.js';
import type { LineSink } from '../check.js';

export interface ImportCall {
  readonly sources: readonly SourceText[];
  /** Undefined: the translation goes to `stdout`. */
  readonly output: string | undefined;
  readonly stdout: LineSink;
  readonly stderr: LineSink;
}

/** A translation may have passwords of probes in it. */
const FILE_MODE = 0o640;

/** Writes translation and report. The exit code: 1 when anything was dropped or is wrong. */
export async function writeResult(result: ImportResult, call: ImportCall): Promise<number> {
  const { output, stdout, stderr } = call;
  if (!result.ok) {
    const { file, line, problem } = result.error;
    stderr.write(`${file}:${line}: ${problem}; nothing is written\n`);
    return 1;
  }
  const { toml, entries } = result.value;
  stderr.write(formatReport(entries));
  const name = output ?? 'the translation';
  const checked = loadConfig(toml, name, { further: [checkServed] });
  if (!checked.ok) {
    const isEmpty = checked.error.every(({ key }) => key === 'listeners');
    if (isEmpty) stderr.write('no listener can be translated; nothing is written\n');
    else {
      stderr.write(checked.error.map((issue) => `${formatIssue(issue)}\n`).join(''));
      stderr.write('the translation does not pass `sluice check`; nothing is written\n');
    }
    return 1;
  }
  stderr.write(checked.value.warnings.map((one) => `${formatWarning(one)}\n`).join(''));
  if (output === undefined) stdout.write(toml);
  else {
    const problem = await write(output, toml, call.sources);
    if (problem !== null) {
      stderr.write(`${output}: ${problem}\n`);
      return 1;
    }
  }
  return entries.some(({ verdict }) => verdict === 'dropped') ? 1 : 0;
}

/** A sentence where it cannot be written. */
async function write(
  output: string,
  toml: string,
  sources: readonly SourceText[],
): Promise<string | null> {
  if (sources.some(({ file }) => resolve(file) === resolve(output))) {
    return 'it is the file that is translated; name another one with -o';
  }
  try {
    await writeFile(output, toml, { mode: FILE_MODE });
    return null;
  } catch (error) {
    return `cannot be written (${(error as NodeJS.ErrnoException).code ?? 'an unknown error'})`;
  }
}
