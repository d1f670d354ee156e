/** The commands of the command line, as help, manual and completion show them. */
import { readFileSync } from 'node:fs';
import type { Completable } from './completion.js';
import { COMPLETION_NOTES, completion, SHELLS } from './completion_scripts.js';
import type { CtlCommand } from './ctl/command.js';
import { CTL_COMMANDS, CTL_OPTIONS, runCtl } from './ctl/ctl.js';
import { demoOptions } from './demo/options.js';
import { discoverOptions } from './discover_options.js';
import { doctorOptions } from './doctor/options.js';
import { EXPLAIN_NOTES, explainOptions } from './explain_options.js';
import { IMPORT_COMMANDS } from './import/commands.js';
import type { OptionDescription, PositionalDescription } from './option.js';
import { signalTable } from './signal_table.js';
import { simulateOptions } from './simulate_options.js';
import { TOP_NOTES, topOptions } from './top/options.js';
import type { Words } from './word_reader.js';

const fileOption = {
  flags: '-c, --config <file>',
  description: 'configuration file',
  default: '/etc/sluice/sluice.toml',
};

/** Of commands that read it once. */
const readOnceOptions: readonly OptionDescription[] = [
  { ...fileOption, description: `${fileOption.description}; - is standard input` },
];

/** A word without a flag, which stands for an option. */
interface Positional extends PositionalDescription {
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
  readonly positionals?: readonly PositionalDescription[];
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
  /** Those of its options that each command has: they may stand before its name, too. */
  readonly common?: readonly OptionDescription[];
}

function ctlCommand(line: CtlCommand): GroupCommand {
  const options = [...line.options, ...CTL_OPTIONS];
  return { ...line, options, run: (words, rest) => runCtl(line, words, rest) };
}

/**
 * In the order of the help. A command loads what it needs when it is run: none waits for modules of
 * the others, and reading all at once takes more open files than a daemon may have.
 */
export const COMMANDS: readonly (CommandLine | CommandGroup)[] = [
  {
    name: 'run',
    description: 'run the daemon in the foreground',
    options: [fileOption],
    notes: signalTable(),
    positional: filePositional,
    run: async (words) => {
      await loadDaemon();
      const { serve } = await import('../control/serve.js');
      return serve({ file: fileOf(words), version: version() });
    },
  },
  {
    name: 'check',
    description: 'say everything that is wrong with a configuration file',
    options: readOnceOptions,
    positional: filePositional,
    run: async (words) => (await import('./check.js')).check(fileOf(words)),
  },
  {
    name: 'demo',
    description: 'see it work: embedded backends and clients; no file, no root',
    options: demoOptions,
    run: async (words) => {
      await loadDaemon();
      return (await import('./demo/demo.js')).demo(words, version());
    },
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
    common: CTL_OPTIONS,
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
    options: [...readOnceOptions, ...discoverOptions],
    positional: filePositional,
    run: async (words) => (await import('./discover.js')).discover(fileOf(words), words),
  },
  {
    name: 'explain',
    description: 'say which backend a client would get, from a configuration file alone',
    options: [...readOnceOptions, ...explainOptions],
    notes: EXPLAIN_NOTES,
    required: [
      {
        usage: '<listener>',
        description: 'where the client comes in',
        option: 'listener',
        values: 'listener',
      },
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
    required: [
      { usage: '<shell>', description: 'bash, zsh or fish', option: 'shell', values: SHELLS },
    ],
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

/** All of it, for completion. */
export function completableProgram(): Completable {
  const commands = COMMANDS.map(completable);
  return { name: 'sluice', options: PROGRAM.options, positionals: [], commands };
}

function completable(line: CommandLine | CommandGroup | GroupCommand): Completable {
  const { name } = line;
  if ('commands' in line) {
    const options = 'common' in line ? (line.common ?? []) : [];
    return { name, options, positionals: [], commands: line.commands.map(completable) };
  }
  const words = 'positionals' in line ? line.positionals : 'required' in line ? line.required : [];
  return { name, options: line.options, positionals: words ?? [], commands: [] };
}

/**
 * The parts of the daemon, before what puts them together: Node.js opens all files of a level of
 * imports at once, and in one go that would be more than the 128 that bin/sluice asks for.
 */
async function loadDaemon(): Promise<void> {
  await import('../control/daemon.js');
}

function fileOf(words: Words): string {
  return String(words['config']);
}

/** Of the package. */
export function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
