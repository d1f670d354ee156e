/**
 * `sluice complete`: candidates for a word of a command line. The table of commands is the only
 * list: each command says what its options and words may be.
 */
import type { Choices, NameKind, OptionDescription, PositionalDescription } from './option.js';
import { typedWord } from './typed_word.js';

/** A command as completion sees it. */
export interface Completable {
  readonly name: string;
  /** Of a command with commands below it: what may stand before their names. */
  readonly options: readonly OptionDescription[];
  /** In order. */
  readonly positionals: readonly PositionalDescription[];
  readonly commands: readonly Completable[];
}

/** Names that the running daemon knows; none where there is none. */
export type NamesOf = (kind: NameKind) => Promise<readonly string[]>;

/** Candidates for the last one of `typed`, words with their quotes, which may be empty. */
export async function candidates(
  typed: readonly string[],
  program: Completable,
  namesOf: NamesOf,
): Promise<readonly string[]> {
  const words = typed.map(typedWord);
  const current = words.at(-1) ?? '';
  const place = placeOf(program, words.slice(0, -1));
  if (place === null) return [];
  const found = await offered(place, current, namesOf);
  return found.filter((word) => word.startsWith(current));
}

interface Place {
  readonly command: Completable;
  /** The option whose value comes next. */
  readonly open: OptionDescription | null;
  /** Words without a flag, so far. */
  readonly given: number;
}

/** Where the words before lead; null: nowhere. */
function placeOf(program: Completable, before: readonly string[]): Place | null {
  let place: Place = { command: program, open: null, given: 0 };
  for (const word of before) {
    const { command, open, given } = place;
    if (open !== null) {
      place = { ...place, open: null };
    } else if (word.startsWith('-')) {
      place = { ...place, open: command.options.find((one) => isOf(one, word)) ?? null };
    } else if (command.commands.length > 0) {
      const below = command.commands.find(({ name }) => name === word);
      if (below === undefined) return null;
      place = { command: below, open: null, given: 0 };
    } else {
      place = { ...place, given: given + 1 };
    }
  }
  return place;
}

async function offered(
  { command, open, given }: Place,
  current: string,
  namesOf: NamesOf,
): Promise<readonly string[]> {
  if (open !== null) return valuesOf(open.values, namesOf);
  const [, flag] = /^(--[^=]+)=/.exec(current) ?? [];
  if (flag !== undefined) {
    const option = command.options.find((one) => isOf(one, flag));
    const values = await valuesOf(option?.values, namesOf);
    return values.map((value) => `${flag}=${value}`);
  }
  if (current.startsWith('-')) {
    return command.options.flatMap(({ flags }) => flagsIn(flags).filter((f) => f.startsWith('--')));
  }
  if (command.commands.length > 0) return command.commands.map(({ name }) => name);
  const last = command.positionals.at(-1);
  const isRepeated = last?.usage.includes('...') === true;
  return valuesOf((command.positionals[given] ?? (isRepeated ? last : null))?.values, namesOf);
}

async function valuesOf(values: Choices | undefined, namesOf: NamesOf): Promise<readonly string[]> {
  return typeof values === 'string' ? namesOf(values) : (values ?? []);
}

/** Whether it is this option, and a value comes behind it. */
function isOf({ flags }: OptionDescription, word: string): boolean {
  return flags.includes('<') && flagsIn(flags).includes(word);
}

/** `-c, --config <file>`: both. */
function flagsIn(flags: string): readonly string[] {
  return flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
}
