/** `sluice doctor`: what this machine allows, and what to do about what it does not. */
import { formatIssue } from '../../config/issue.js';
import { readConfig } from '../../config/read_config.js';
import { lookAtMachine } from '../../control/machine.js';
import type { Spec } from '../../core/spec.js';
import { systemTimers } from '../../system/timers.js';
import type { LineSink } from '../check.js';
import type { Words } from '../word_reader.js';
import { examineMachine } from './report.js';
import { reportText } from './text.js';

/**
 * Writes the report to `stdout`. The exit code: 0 a daemon can run here, 1 it cannot, or the file
 * that was named is bad, which `stderr` says.
 */
export async function doctor(
  words: Words,
  version: string,
  stdout: LineSink = process.stdout,
  stderr: LineSink = process.stderr,
): Promise<0 | 1> {
  let spec: Spec | null = null;
  const file = words['config'];
  if (typeof file === 'string') {
    const config = await readConfig(file, systemTimers, '-c');
    if (!config.ok) {
      stderr.write(config.error.map((issue) => `${formatIssue(issue)}\n`).join(''));
      return 1;
    }
    spec = config.value.spec;
  }
  const report = examineMachine(lookAtMachine(), version, spec);
  stdout.write(
    words['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report),
  );
  return report.verdict === 'good' ? 0 : 1;
}
