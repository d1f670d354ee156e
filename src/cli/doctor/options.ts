/** What `sluice doctor` may be told. */
import type { OptionDescription } from '../option.js';

export const doctorOptions: readonly OptionDescription[] = [
  { flags: '--json', description: 'JSON instead of text' },
];
