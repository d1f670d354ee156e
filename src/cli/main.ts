/** The command line: the only file that knows commander. Each command is a file of its own. */
import { Command, CommanderError, Option } from 'commander';
import { endNow } from '../control/ending.js';
import { readsHang } from '../files/user_file.js';
import {
  COMMANDS,
  type CommandGroup,
  type CommandLine,
  completableProgram,
  type GroupCommand,
  PROGRAM,
  version,
} from './commands.js';
import { candidates } from './completion.js';
import { namesOfDaemon } from './completion_names.js';
import type { OptionDescription } from './option.js';
import type { Words } from './word_reader.js';

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
    .configureOutput({ outputError: (text, write) => write(ownWords(text, argv)) })
    .showHelpAfterError('(sluice --help lists the commands and options)');
  const ended = (exitCode: number): void => {
    code = exitCode;
  };
  for (const line of COMMANDS) {
    if ('commands' in line) addGroup(program, line, ended);
    else addCommand(program, line, ended);
  }
  addComplete(program);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOSPC' || error.code === 'EFBIG' || error.code === 'EDQUOT') {
      const remedy = 'what is there is not all; make room and run the command again';
      process.stderr.write(
        `sluice: standard output cannot be written (${error.code}): ${remedy}\n`,
      );
      process.exit(1);
    }
    // A reader that had enough (`sluice demo | head`) is no error. At its end Node.js sets
    // terminals back, and crashes where one is gone (seen with 20).
    if (process.stdout.isTTY) endNow(0);
    process.exit(0);
  });
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

/** A complaint of commander begins as those of sluice do. */
function ownWords(text: string, argv: readonly string[]): string {
  const told = text.replace(/^error: /, 'sluice: ');
  const isShare = argv.includes('%') && told.includes('too many arguments');
  return isShare ? `${told.trimEnd()} A share is one word, such as 50%.\n` : told;
}

/** A word that is missing is told with its meaning. */
function tellMissing(command: Command): void {
  const { outputError } = command.configureOutput();
  const told = (text: string): string => {
    const [, name] = /^error: missing required argument '([^']+)'/.exec(text) ?? [];
    const missing = command.registeredArguments.find((one) => one.name() === name);
    return missing === undefined ? text : `error: missing <${name}>: ${missing.description}\n`;
  };
  command.configureOutput({ outputError: (text, write) => outputError?.(told(text), write) });
}

/** What the scripts of `completion` call; no user types it. */
function addComplete(program: Command): void {
  const command = program.command('complete', { hidden: true }).argument('[words...]');
  command.action(async (words: readonly string[]) => {
    const found = await candidates(words, completableProgram(), namesOfDaemon(words));
    process.stdout.write(found.map((word) => `${word}\n`).join(''));
  });
}

function addCommand(program: Command, line: CommandLine, ended: (code: number) => void): void {
  const { name, description, options, notes, positional, required = [], run } = line;
  const command = program.command(name).description(description);
  command.showHelpAfterError(`(sluice ${name} --help lists its options)`);
  tellMissing(command);
  if (notes !== undefined) command.addHelpText('after', `\n${notes}`);
  for (const option of options) addOption(command, option);
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

/**
 * One that is typed twice is refused: the last one would win without a word. So is one whose value
 * was forgotten, and which has taken the next option for it.
 */
function addOption(command: Command, { flags, description, default: usual }: OptionDescription) {
  const option = new Option(flags, description).default(usual);
  command.addOption(option);
  if (!option.required) return;
  command.on(`option:${option.name()}`, (value: string) => {
    if (!value.startsWith('--')) return;
    command.error(`error: ${option.long} takes a value, and ${value} is an option`);
  });
  if (option.variadic) return;
  let first: string | null = null;
  command.on(`option:${option.name()}`, (value: string) => {
    const { long } = option;
    if (first !== null && first !== value) {
      command.error(`error: two of ${long}, ${first} and ${value}; name one`);
    }
    first = value;
  });
}

function addGroup(
  program: Command,
  { name, description, commands, common = [] }: CommandGroup,
  ended: (code: number) => void,
): void {
  const group = program.command(name).description(description).enablePositionalOptions();
  group.showHelpAfterError(`(sluice ${name} --help lists its commands)`);
  // What each command takes may stand before its name as well; defaults are the command's.
  for (const { flags, description: about } of common) {
    addOption(group, { flags, description: about });
  }
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
  tellMissing(command);
  if (notes !== undefined) command.addHelpText('after', `\n${notes}`);
  for (const { usage, description: about } of positionals) command.argument(usage, about);
  for (const option of options) addOption(command, option);
  command.action(async () => {
    const before = group.opts<Words>();
    for (const [option, value] of Object.entries(before)) {
      const other = command.opts<Words>()[option];
      if (command.getOptionValueSource(option) !== 'cli' || other === value) continue;
      command.error(`error: two of --${option}, ${value} and ${other}; name one`);
    }
    ended(await run({ ...command.opts<Words>(), ...before }, command.args));
  });
}

function complain(error: unknown, detail: 'with-stack' | 'sentence'): number {
  // Commander has already written its own sentence; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const told = error instanceof Error ? error : new Error(String(error));
  const text = detail === 'with-stack' ? (told.stack ?? told.message) : told.message;
  process.stderr.write(`sluice: ${text}\n`);
  return 1;
}
