/** What `sluice explain` may be told. */
import type { OptionDescription } from './option.js';

export const explainOptions: readonly OptionDescription[] = [
  { flags: '--json', description: 'print the answer as JSON' },
];

export const EXPLAIN_NOTES =
  'Every backend counts as up, and nobody is connected: what a running daemon would do,\n' +
  '`sluice ctl explain` says.';
