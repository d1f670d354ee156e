/** The command line: the only file that knows commander. Each command is a file of its own. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { endNow } from '../control/ending.js';
import { readsHang } from '../files/user_file.js';
import {
  COMPLETION_NOTES,
  type Completable,
  candidates,
  completion,
  namesOfDaemon,
} from './completion.js';
import type { CtlCommand } from './ctl/command.js';
import { CTL_COMMANDS, CTL_OPTIONS, runCtl } from './ctl/ctl.js';
import { demoOptions } from './demo/options.js';
import { discoverOptions } from './discover_options.js';
import { doctorOptions } from './doctor/options.js';
import { EXPLAIN_NOTES, explainOptions } from './explain_options.js';
import { IMPORT_COMMANDS } from './import/commands.js';
import type { OptionDescription } from './option.js';
import { signalTable } from './signal_table.js';
import { simulateOptions } from './simulate_options.js';
import { TOP_NOTES, topOptions } from './top/options.js';
import type { Words } from './word_reader.js';

const fileOptions: readonly OptionDescription[] = [
  {
    flags: '-c, --config <file>',
    description: 'configuration file',
    default: '/etc/sluice/sluice.toml',
  },
];

/** A word without a flag, which stands for an option. */
interface Positional {
  readonly usage: string;
  readonly description: string;
  readonly option: string;
}

const filePositional: Positional = {
  usage: '[file]',
  description: 'the same as -c <file>',
  option: 'config',
};

export interface CommandLine {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionDescription[];
  /** Further text at the end of the help. */
  readonly notes?: string;
  readonly positional?: Positional;
  /** Words that must be there, in this order. */
  readonly required?: readonly Positional[];
  /** Answers the exit code. */
  readonly run: (words: Words) => number | Promise<number>;
}

/** A command below another one, as `sluice ctl status`. */
export interface GroupCommand {
  readonly name: string;
  readonly description: string;
  /** Words without a flag, as `<file...>`. */
  readonly positionals?: readonly { readonly usage: string; readonly description: string }[];
  readonly options: readonly OptionDescription[];
  readonly notes?: string;
  /** Answers the exit code; `rest` are the words without a flag. */
  readonly run: (words: Words, rest: readonly string[]) => Promise<number>;
}

/** A command that has commands of its own. */
export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  readonly commands: readonly GroupCommand[];
}

function ctlCommand(line: CtlCommand): GroupCommand {
  const options = [...line.options, ...CTL_OPTIONS];
  return { ...line, options, run: (words, rest) => runCtl(line, words, rest) };
}

/**
 * In the order of the help. A command loads what it needs when it is run: nobody waits for the
 * rest, and reading all modules at once takes more open files than a daemon may have.
 */
export const COMMANDS: readonly (CommandLine | CommandGroup)[] = [
  {
    name: 'run',
    description: 'run the daemon in the foreground',
    options: fileOptions,
    notes: signalTable(),
    positional: filePositional,
    run: async (words) => {
      const { serve } = await import('../control/serve.js');
      return serve({ file: fileOf(words), version: version() });
    },
  },
  {
    name: 'check',
    description: 'say everything that is wrong with a configuration file',
    options: fileOptions,
    positional: filePositional,
    run: async (words) => (await import('./check.js')).check(fileOf(words)),
  },
  {
    name: 'demo',
    description: 'see it work: embedded backends and clients; no file, no root',
    options: demoOptions,
    run: async (words) => (await import('./demo/demo.js')).demo(words, version()),
  },
  {
    name: 'doctor',
    description: 'say which engines and how many sessions this machine allows, and why',
    options: doctorOptions,
    run: async (words) => (await import('./doctor/doctor.js')).doctor(words, version()),
  },
  {
    name: 'ctl',
    description: 'ask and operate a running daemon',
    commands: CTL_COMMANDS.map(ctlCommand),
  },
  {
    name: 'top',
    description: 'watch a running daemon live in the terminal, and drain what you choose',
    options: topOptions,
    notes: TOP_NOTES,
    run: async (words) => (await import('./top/top.js')).top(words),
  },
  {
    name: 'discover',
    description: 'ask every source of backends once, and show what it would get',
    options: [...fileOptions, ...discoverOptions],
    positional: filePositional,
    run: async (words) => (await import('./discover.js')).discover(fileOf(words), words),
  },
  {
    name: 'explain',
    description: 'say which backend a client would get, from a configuration file alone',
    options: [...fileOptions, ...explainOptions],
    notes: EXPLAIN_NOTES,
    required: [
      { usage: '<listener>', description: 'where the client comes in', option: 'listener' },
      { usage: '<client>', description: 'its address, with a port or without', option: 'client' },
    ],
    run: async (words) => (await import('./explain.js')).explain(fileOf(words), words),
  },
  {
    name: 'import',
    description: 'translate a configuration of HAProxy or nginx, and say what became of each part',
    commands: IMPORT_COMMANDS,
  },
  {
    name: 'completion',
    description: 'print a script that completes commands, options and names in a shell',
    options: [],
    notes: COMPLETION_NOTES,
    required: [{ usage: '<shell>', description: 'bash, zsh or fish', option: 'shell' }],
    run: (words) => completion(String(words['shell'])),
  },
  {
    name: 'simulate',
    description: 'put a workload through every policy and compare them',
    options: simulateOptions,
    run: async (words) => (await import('./simulate.js')).simulate(words),
  },
];

/** What stands before a command. */
export const PROGRAM = {
  description: 'A layer-4 TCP and UDP load balancer that explains itself.',
  options: [
    { flags: '-V, --version', description: 'print the version' },
    { flags: '--debug', description: 'show stack traces of errors' },
  ],
} as const;

/**
 * Runs the command in `argv` (as process.argv) and answers the exit code: 0 good, 1 bad, 2 wrong
 * usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const [versionOption, debugOption] = PROGRAM.options;
  const program = new Command('sluice')
    .description(PROGRAM.description)
    .version(version(), versionOption.flags, versionOption.description)
    .option(debugOption.flags, debugOption.description, false)
    .exitOverride()
    .showHelpAfterError('(sluice --help lists the commands and options)');
  const ended = (exitCode: number): void => {
    code = exitCode;
  };
  for (const line of COMMANDS) {
    if ('commands' in line) addGroup(program, line, ended);
    else addCommand(program, line, ended);
  }
  addComplete(program);
  // A reader that had enough (`sluice demo | head`) is no error.
  process.stdout.on('error', () => process.exit(0));
  process.stderr.on('error', () => {});
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    return complain(error, argv.includes('--debug') ? 'with-stack' : 'sentence');
  }
  // A read that hangs would hold up the end for as long as it likes.
  if (readsHang()) endNow(code === 0 ? 0 : 1);
  return code;
}

/** What the scripts of `completion` call; nobody types it. */
function addComplete(program: Command): void {
  const command = program.command('complete', { hidden: true }).argument('[words...]');
  command.action(async (words: readonly string[]) => {
    const found = await candidates(words, COMMANDS.map(completable), namesOfDaemon(words));
    process.stdout.write(found.map((word) => `${word}\n`).join(''));
  });
}

function completable(line: CommandLine | CommandGroup | GroupCommand): Completable {
  const { name } = line;
  if ('commands' in line) {
    return { name, options: [], positionals: [], commands: line.commands.map(completable) };
  }
  const words = 'positionals' in line ? line.positionals : 'required' in line ? line.required : [];
  const positionals = (words ?? []).map(({ usage }) => usage);
  return { name, options: line.options, positionals, commands: [] };
}

function addCommand(program: Command, line: CommandLine, ended: (code: number) => void): void {
  const { name, description, options, notes, positional, required = [], run } = line;
  const command = program.command(name).description(description);
  command.showHelpAfterError(`(sluice ${name} --help lists its options)`);
  if (notes !== undefined) command.addHelpText('after', `\n${notes}`);
  for (const option of options) {
    command.option(option.flags, option.description, option.default);
  }
  if (positional === undefined) {
    for (const { usage, description: about } of required) command.argument(usage, about);
    command.action(async () => {
      const given = required.map(({ option }, at) => [option, command.args[at]] as const);
      ended(await run({ ...command.opts<Words>(), ...Object.fromEntries(given) }));
    });
    return;
  }
  const { usage, description: about, option } = positional;
  command.argument(usage, about);
  command.action(async (word: string | undefined, words: Words) => {
    const isGiven = command.getOptionValueSource(option) === 'cli';
    if (word !== undefined && isGiven && word !== words[option]) {
      command.error(`error: two files, ${words[option]} and ${word}; name one`);
    }
    ended(await run(word === undefined ? words : { ...words, [option]: word }));
  });
}

function addGroup(
  program: Command,
  { name, description, commands }: CommandGroup,
  ended: (code: number) => void,
): void {
  const group = program.command(name).description(description);
  group.showHelpAfterError(`(sluice ${name} --help lists its commands)`);
  for (const line of commands) addGroupCommand(group, name, line, ended);
}

function addGroupCommand(
  group: Command,
  groupName: string,
  { name, description, positionals = [], options, notes, run }: GroupCommand,
  ended: (code: number) => void,
): void {
  const command = group.command(name).description(description);
  command.showHelpAfterError(`(sluice ${groupName} ${name} --help lists its options)`);
  if (notes !== undefined) command.addHelpText('after', `\n${notes}`);
  for (const { usage, description: about } of positionals) command.argument(usage, about);
  for (const option of options) {
    command.option(option.flags, option.description, option.default);
  }
  command.action(async () => {
    ended(await run(command.opts<Words>(), command.args));
  });
}

function fileOf(words: Words): string {
  return String(words['config']);
}

function complain(error: unknown, detail: 'with-stack' | 'sentence'): number {
  // Commander has already written its own sentence; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const told = error instanceof Error ? error : new Error(String(error));
  const text = detail === 'with-stack' ? (told.stack ?? told.message) : told.message;
  process.stderr.write(`sluice: ${text}\n`);
  return 1;
}

/** Of the package. */
export function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
