/** An option of a command, described once for the parser of the command line and for its help. */
export interface OptionDescription {
  readonly flags: string;
  readonly description: string;
  /** Shown in the help, and applied. */
  readonly default?: string;
}
