/** What a command of `sluice ctl` is: words in, lines out, over the socket of a daemon. */
import type { OptionDescription, PositionalDescription } from '../option.js';
import type { Words } from '../word_reader.js';
import type { Client } from './client.js';
import type { Output } from './output.js';

export interface CtlCall {
  readonly client: Client;
  readonly out: Output;
  /** Options by long name in camelCase. */
  readonly words: Words;
  /** Words without a flag, in order. */
  readonly rest: readonly string[];
}

export interface CtlCommand {
  readonly name: string;
  readonly description: string;
  /** Words without a flag, as `<backend...>`. */
  readonly positionals?: readonly PositionalDescription[];
  readonly options: readonly OptionDescription[];
  readonly notes?: string;
  /** Answers the exit code; a CtlFailure is 1, and WrongWords are 2. */
  readonly run: (call: CtlCall) => Promise<number>;
}
