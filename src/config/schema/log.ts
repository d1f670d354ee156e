/** `[log]`: what is written to standard output. */
import { LOG_LEVELS, type LogSpec } from '../../core/spec.js';
import { choice, integer } from './kinds.js';
import { table, type ValueOf } from './node.js';

export const LOG = table('What is written to standard output, one event per line.', {
  level: choice(LOG_LEVELS, {
    default: 'info',
    doc: 'The least severe events that are written. Access lines are for `access` alone to decide.',
  }),
  format: choice(['json', 'pretty'], {
    default: 'json',
    doc: '"json" for journald and machines, "pretty" for a terminal.',
  }),
  access: choice(['off', 'errors', 'sampled', 'all'], {
    default: 'errors',
    doc: 'Which finished sessions and flows get a line: none, those that went wrong, those and some of the others, or all.',
  }),
  access_sample: integer({
    min: 1,
    max: 1_000_000,
    default: 100,
    doc: 'With `access = "sampled"`: one of how many that ended normally gets a line. Its `left_out` says how many had none before it.',
  }),
});

export function logSpec({ level, format, ...lines }: ValueOf<typeof LOG>): LogSpec {
  const { access, access_sample: oneOf } = lines;
  return { level, format, access: access === 'sampled' ? { oneOf } : access };
}
