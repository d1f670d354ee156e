/** `[log]`: what is written to standard output. */
import { LOG_LEVELS, type LogSpec } from '../../core/spec.js';
import { choice } from './kinds.js';
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
  access: choice(['off', 'errors', 'all'], {
    default: 'errors',
    doc: 'Which finished sessions and flows get a line: none, those that went wrong, or all.',
  }),
});

export function logSpec(value: ValueOf<typeof LOG>): LogSpec {
  return value;
}
