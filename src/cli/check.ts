/** `sluice check`: says what is wrong with a configuration file, or that nothing is. */
import { formatIssue, formatWarning } from '../config/issue.js';
import { readConfig } from '../config/read_config.js';
import { accessProblems } from '../control/access_reading.js';
import type { Spec } from '../core/spec.js';
import { systemClock } from '../system/clock.js';
import { holdingTimers, systemTimers } from '../system/timers.js';

const MAX_SHOWN_NAMES = 20;

/** Where a command writes its lines; process.stdout and process.stderr are such. */
export interface LineSink {
  write(text: string): unknown;
}

/**
 * Reads the file at `path`, and the access lists that it names, which a start reads too; problems
 * and warnings go to `stderr`, one per line, the summary of a good file to `stdout`. The exit code:
 * 0 good, 1 bad.
 */
export async function check(
  path: string,
  stdout: LineSink = process.stdout,
  stderr: LineSink = process.stderr,
): Promise<0 | 1> {
  const config = await readConfig(path, systemTimers, '-c');
  if (config.ok) {
    const { spec, warnings } = config.value;
    const problems = await accessProblems(spec.listeners, {
      timers: holdingTimers,
      clock: systemClock,
    });
    stderr.write(problems.map((problem) => `${path}: ${problem}\n`).join(''));
    if (problems.length > 0) return 1;
    stderr.write(warnings.map((warning) => `${formatWarning(warning)}\n`).join(''));
    stdout.write(`${path}: good: ${summary(spec)}\n${unasked(path, spec)}`);
    return 0;
  }
  stderr.write(config.error.map((issue) => `${formatIssue(issue)}\n`).join(''));
  return 1;
}

function summary({ listeners, pools }: Spec): string {
  const backends = pools.reduce((sum, pool) => sum + pool.backends.length, 0);
  return [
    count(listeners.length, 'listener'),
    count(pools.length, 'pool'),
    count(backends, 'backend'),
  ].join(', ');
}

/** A file is good wherever it is checked: whether a name resolves is a matter of the machine. */
function unasked(path: string, { pools }: Spec): string {
  const addresses = pools.flatMap(({ backends }) => backends.map(({ address }) => address));
  const hosts = new Set(addresses.flatMap((one) => (one.kind === 'name' ? [one.host] : [])));
  if (hosts.size === 0) return '';
  const shown = [...hosts].slice(0, MAX_SHOWN_NAMES).join(', ');
  const more = hosts.size > MAX_SHOWN_NAMES ? ` and ${hosts.size - MAX_SHOWN_NAMES} more` : '';
  return `${path}: names that were not looked up: ${shown}${more}\n`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
