/** The options of `sluice doctor`. */
import type { OptionDescription } from '../option.js';

export const doctorOptions: readonly OptionDescription[] = [
  {
    flags: '-c, --config <file>',
    description: 'look at what the pools of this file need, too; - is standard input',
  },
  { flags: '--json', description: 'JSON instead of text' },
];
