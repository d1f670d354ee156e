/** The options of `sluice discover`. */
import type { OptionDescription } from './option.js';

export const discoverOptions: readonly OptionDescription[] = [
  { flags: '--json', description: 'the answers as JSON' },
];
