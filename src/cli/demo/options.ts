/** The options of `sluice demo`. */
import type { OptionDescription } from '../option.js';

export const demoOptions: readonly OptionDescription[] = [
  { flags: '--for <time>', description: 'end after this time (default: when interrupted)' },
  {
    flags: '--engine <name>',
    description: 'what moves the bytes, as in [daemon]',
    default: 'auto',
    values: ['auto', 'uring', 'node'],
  },
];
