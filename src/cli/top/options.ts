/** Options of `sluice top`, and its keys for the help. */
import { usualSocketPath } from '../../control/control_path.js';
import type { OptionDescription } from '../option.js';
import { KEYS } from './key_table.js';

export const topOptions: readonly OptionDescription[] = [
  {
    flags: '--socket <path>',
    description: 'the control socket of the daemon',
    default: usualSocketPath(process.env),
  },
  { flags: '--every <time>', description: 'look so often, 200ms to 1m', default: '1s' },
];

export const TOP_NOTES = `Keys:
${KEYS.map(([keys, does]) => `  ${keys.padEnd(17)}  ${does}`).join('\n')}

NO_COLOR in the environment: without colours.`;
