/** Words of a command, described once: for the parser of the command line, help and completion. */

/** What a running daemon knows the names of; `backends`: also `POOL/*`. */
export type NameKind = 'listener' | 'pool' | 'backend' | 'backends' | 'denied';

/** What a value may be. */
export type Choices = readonly string[] | NameKind;

export interface OptionDescription {
  readonly flags: string;
  readonly description: string;
  /** Shown in the help, and applied. */
  readonly default?: string;
  /** For completion; absent: a path, or what only the user knows. */
  readonly values?: Choices;
}

/** A word without a flag. */
export interface PositionalDescription {
  /** `<one>`, `[one]` or `<several...>`. */
  readonly usage: string;
  readonly description: string;
  /** As of an option. */
  readonly values?: Choices;
}
