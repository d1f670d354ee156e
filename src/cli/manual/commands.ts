/** sluice(1) and sluice-ctl(1), from the same tables as the help. */
import type { CommandGroup, CommandLine, GroupCommand } from '../commands.js';
import type { OptionDescription } from '../option.js';
import {
  bold,
  entry,
  italic,
  pageHeader,
  paragraph,
  type Roff,
  roffPage,
  section,
  subsection,
  verbatim,
} from './roff.js';

export interface ProgramWords {
  readonly description: string;
  readonly version: string;
  /** Those of the program itself, before the command. */
  readonly options: readonly OptionDescription[];
  readonly commands: readonly (CommandLine | CommandGroup)[];
}

const CODES = [
  ['0', 'All is well.'],
  ['1', 'It failed, or the answer is bad: an invalid file, a daemon that does not answer.'],
  ['2', 'Wrong usage.'],
] as const;

export function programPage({ description, version, options, commands }: ProgramWords): Roff {
  return roffPage(
    pageHeader('sluice', 1, version),
    section('Name', 'sluice \\- layer 4 load balancer for TCP and UDP'),
    section(
      'Synopsis',
      `${bold('sluice')} [${italic('options')}] ${italic('command')} [${italic('words')}]`,
    ),
    section(
      'Description',
      paragraph(description),
      paragraph(
        'It stands in front of any TCP or UDP service: clients come in at a listener, and a ' +
          'policy chooses a backend among those of its pool that are healthy and not full. ' +
          '`sluice run` is the daemon, which systemd starts; the other commands look at it, ' +
          'operate it, or try out a file. sluice.toml(5) describes the file.',
      ),
    ),
    section('Commands', ...commands.map(commandText)),
    section('Options', ...[...options, HELP].map(optionText)),
    exitStatus(),
    section(
      'Environment',
      entry(
        bold('RUNTIME_DIRECTORY'),
        'The folder of the control socket, as systemd sets it; without it `/run/sluice`.',
      ),
      entry(bold('STATE_DIRECTORY'), 'Where the daemon keeps its state, as systemd sets it.'),
    ),
    section(
      'Files',
      entry(italic('/etc/sluice/sluice.toml'), 'The configuration, unless `-c` names another.'),
      entry(italic('/run/sluice/admin.sock'), 'The control socket of the daemon.'),
      entry(
        italic('/var/lib/sluice'),
        'What operators have overridden, and what discovery has found, over restarts.',
      ),
    ),
    seeAlso('sluice-ctl(1)', 'sluice.toml(5)', 'systemctl(1)', 'journalctl(1)'),
  );
}

/** A page for a command that has commands of its own. */
export function groupPage({ name, description, commands }: CommandGroup, version: string): Roff {
  const called = `sluice-${name}`;
  const shared = sharedOptions(commands);
  return roffPage(
    pageHeader(called, 1, version),
    section('Name', `${bold(called)} \\- ${description}`),
    section('Synopsis', `${bold(`sluice ${name}`)} ${italic('command')} [${italic('words')}]`),
    section(
      'Description',
      paragraph(
        'It asks and orders over the control socket, a UNIX socket of the daemon that its ' +
          'user and root may use, and those that `[admin]` in sluice.toml(5) names. What an ' +
          'order changes is in force when the command returns.',
      ),
    ),
    section(
      'Commands',
      ...commands.map((command) =>
        groupCommandText(name, {
          ...command,
          options: command.options.filter((option) => !shared.includes(option)),
        }),
      ),
    ),
    section(
      'Options',
      paragraph('Every command takes them.'),
      ...[...shared, HELP].map(optionText),
    ),
    exitStatus(),
    seeAlso('sluice(1)', 'sluice.toml(5)'),
  );
}

const HELP: OptionDescription = { flags: '-h, --help', description: 'print the help' };

function commandText(command: CommandLine | CommandGroup): Roff {
  const { name, description } = command;
  if (!('commands' in command)) return lineText(command);
  if (name === 'ctl') {
    return subsection('sluice ctl', paragraph(`${description}: see sluice-ctl(1)`));
  }
  return [
    subsection(`sluice ${name}`, paragraph(description)),
    ...command.commands.map((each) => groupCommandText(name, each)),
  ].join('\n');
}

function lineText({ name, description, options, notes, ...words }: CommandLine): Roff {
  const positionals = words.positional === undefined ? (words.required ?? []) : [words.positional];
  return commandBlock({ name, description, positionals, options, notes });
}

function groupCommandText(group: string, command: GroupCommand): Roff {
  const { description, positionals = [], options, notes } = command;
  const name = `${group} ${command.name}`;
  return commandBlock({ name, description, positionals, options, notes });
}

interface Block {
  readonly name: string;
  readonly description: string;
  readonly positionals: readonly { readonly usage: string; readonly description: string }[];
  readonly options: readonly OptionDescription[];
  readonly notes: string | undefined;
}

function commandBlock({ name, description, positionals, options, notes }: Block): Roff {
  const option = options.length === 0 ? [] : ['[options]'];
  const usage = ['sluice', name, ...option, ...positionals.map(({ usage }) => usage)];
  return subsection(
    usage.join(' '),
    paragraph(description),
    ...positionals.map((word) => entry(italic(word.usage), word.description)),
    ...options.map(optionText),
    ...(notes === undefined ? [] : [verbatim(notes)]),
  );
}

function optionText({ flags, description, default: fallback }: OptionDescription): Roff {
  const tag = flags.replace(/(--?[\w-]+)|(<[\w-]+>)|([^-<]+)/g, (word, flag, value) =>
    flag === undefined ? (value === undefined ? word : italic(word)) : bold(word),
  );
  const more = fallback === undefined ? '' : ` (by default ${fallback})`;
  return entry(tag, `${description}${more}`);
}

/** Options that every command of a group has, as the same object. */
function sharedOptions(commands: readonly GroupCommand[]): readonly OptionDescription[] {
  const [first, ...others] = commands;
  return (first?.options ?? []).filter((option) =>
    others.every(({ options }) => options.includes(option)),
  );
}

function exitStatus(): Roff {
  return section('Exit status', ...CODES.map(([code, meaning]) => entry(bold(code), meaning)));
}

function seeAlso(...pages: readonly string[]): Roff {
  const named = pages.map((name) =>
    name.replace(/^(.*)(\(.*)$/, (_, page, rest) => bold(page) + rest),
  );
  return section('See also', named.join(',\n'));
}
