/** `sluice doctor`: what this machine allows, and what to do about what it does not. */
import { lookAtMachine } from '../../control/machine.js';
import type { LineSink } from '../check.js';
import type { Words } from '../word_reader.js';
import { examine } from './report.js';
import { reportText } from './text.js';

/** Writes the report to `stdout`. The exit code: 0 a daemon can run here, 1 it cannot. */
export function doctor(words: Words, version: string, stdout: LineSink = process.stdout): 0 | 1 {
  const report = examine(lookAtMachine(), version);
  stdout.write(
    words['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report),
  );
  return report.verdict === 'good' ? 0 : 1;
}
