/** `sluice ctl`: its commands, and how one is run. */
import { usualSocketPath } from '../../control/control_path.js';
import type { OptionDescription } from '../option.js';
import type { Words } from '../word_reader.js';
import { Client, CtlFailure, WrongWords } from './client.js';
import { clients } from './clients.js';
import type { CtlCommand } from './command.js';
import { discovery } from './discovery.js';
import { events, why } from './events.js';
import { explain } from './explain.js';
import { backends, listeners, pools } from './lists.js';
import {
  admit,
  cap,
  deny,
  drain,
  hold,
  logLevel,
  maintain,
  ready,
  release,
  reset,
  weight,
} from './orders.js';
import { Output } from './output.js';
import { overrides } from './overrides.js';
import { reload } from './reload.js';
import { kill, sessions } from './sessions.js';
import { status } from './status.js';
import { upgrade } from './upgrade.js';
import { wait } from './wait.js';

/** In the order of the help. */
export const CTL_COMMANDS: readonly CtlCommand[] = [
  status,
  listeners,
  pools,
  backends,
  sessions,
  kill,
  clients,
  explain,
  why,
  events,
  discovery,
  wait,
  drain,
  maintain,
  ready,
  weight,
  cap,
  hold,
  release,
  deny,
  admit,
  overrides,
  reset,
  logLevel,
  reload,
  upgrade,
];

/** Every command has them. */
export const CTL_OPTIONS: readonly OptionDescription[] = [
  {
    flags: '--socket <path>',
    description: 'the control socket of the daemon',
    default: usualSocketPath(process.env),
  },
  { flags: '--json', description: 'print the answer as JSON' },
];

export async function runCtl(
  command: CtlCommand,
  words: Words,
  rest: readonly string[],
): Promise<number> {
  const form = words['json'] === true ? 'json' : 'text';
  const out = new Output(process.stdout, process.stderr, form);
  const client = new Client(String(words['socket']));
  try {
    return await command.run({ client, out, words, rest });
  } catch (error) {
    if (!(error instanceof CtlFailure)) throw error;
    out.complain(`sluice: ${sentenceOf(error, command, rest)}`);
    for (const line of error.more) out.complain(line);
    if (!(error instanceof WrongWords)) return 1;
    out.complain(`(sluice ctl ${command.name} --help lists its options)`);
    return 2;
  }
}

/** The daemon names fields; the reader of the error knows them as words of the command. */
function sentenceOf(error: CtlFailure, command: CtlCommand, rest: readonly string[]): string {
  if (!(error instanceof WrongWords) || error.faults.length === 0) return error.message;
  const typed = [command.name, ...rest].join(' ');
  const told = error.faults.map((fault) => {
    const [, field = '', problem = fault] = /^([a-z_]+)(?:\.\d+)?: (.*)$/s.exec(fault) ?? [];
    const flag = `--${field.replaceAll('_', '-')}`;
    const isOption = command.options.some(({ flags }) => flags.split(' ')[0] === flag);
    return `${isOption ? flag : typed}: ${problem}`;
  });
  return told.join('; ');
}
