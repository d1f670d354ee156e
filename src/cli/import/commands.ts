/** `sluice import haproxy` and `sluice import nginx`. */
import type { GroupCommand } from '../commands.js';
import type { OptionDescription } from '../option.js';

const OPTIONS: readonly OptionDescription[] = [
  {
    flags: '-o, --output <file>',
    description: 'where the translation goes; without it, to standard output',
  },
];

const NOTES = `The report goes to standard error: every word of the files is translated, changed in
meaning (and how), or dropped (and why). Exit code 0: nothing was dropped; 1: something
was, or nothing could be written; 2: wrong usage. A file - is standard input.`;

export const IMPORT_COMMANDS: readonly GroupCommand[] = [
  {
    name: 'haproxy',
    description: 'translate what HAProxy does in mode tcp',
    positionals: [
      { usage: '<file...>', description: 'files in their order, or folders of .cfg files' },
    ],
    options: OPTIONS,
    notes: NOTES,
    run: async (words, paths) => (await import('./translate.js')).fromHaproxy(words, paths),
  },
  {
    name: 'nginx',
    description: 'translate what nginx does in stream {}',
    positionals: [
      { usage: '<file>', description: 'nginx.conf; what it includes is read below its folder' },
    ],
    options: OPTIONS,
    notes: NOTES,
    run: async (words, paths) => (await import('./translate.js')).fromNginx(words, paths),
  },
];
