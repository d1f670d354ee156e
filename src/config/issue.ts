/**
 * What is wrong with a configuration: one place, one sentence, what was expected and what is there.
 */

/** Every kind of problem and its remedy; the reference lists the same. */
export const ISSUE_CODES = {
  unreadable: 'The file cannot be read: correct the path or its permissions.',
  syntax: 'The file is not TOML, so nothing else could be looked at: correct this place first.',
  'unknown-key': 'No such key at this place: correct its name, or move it under the right header.',
  'bad-name': 'Names become metric labels and arguments of commands: choose another one.',
  'wrong-type': 'Write the value as the kind that is expected; durations and sizes are strings.',
  malformed: 'The value cannot be read as what the key means: follow the form that is expected.',
  'unknown-value': 'The key takes one of a few words: use one of them.',
  'out-of-range': 'Stay within the bounds of the key.',
  missing: 'Add the key.',
  misplaced: 'The key has no meaning together with the others: remove it, or change those.',
  conflict: 'Two values contradict each other: change one of them.',
  duplicate: 'The same name or address is used twice: change one of the two.',
  occupied: 'Something other than a socket is at that path: move it away, or choose another path.',
  'no-folder': 'The folder of a socket is not there: make it, or choose another path.',
  'unknown-pool':
    'A listener names a pool that the file does not define: define it or correct the name.',
  'too-many': 'More than the limit that the message names: use fewer.',
  'not-in-this-version': 'The reference describes it, but this version cannot do it: leave it out.',
  'more-problems': 'Only the first hundred are shown: correct those, and check again.',
} as const;
export type IssueCode = keyof typeof ISSUE_CODES;

/** What is allowed and nearly always a mistake; the exit code of `check` stays 0. */
export const WARNING_CODES = {
  'no-such-file': 'The file is read when it is needed: create it before that, or correct the path.',
  'forbidden-file': 'Run `check` as the user of the daemon, or give that user the file.',
  'exposed-file':
    'Every user who can read the file can change everything: let other users not read it.',
  'no-such-account': 'Correct the name, or make the user or group before the daemon starts.',
  'no-control-socket':
    '`sluice ctl` would have no socket: make the folder, or clear or change the path, and reload.',
  'no-such-address':
    'A start is refused while the machine lacks it: give it to an interface, or see the key.',
  unused: 'Nothing leads there: name it, or remove it.',
  unlikely: 'It does what it says, and that is rarely what was meant: look at it again.',
} as const;
export type WarningCode = keyof typeof WARNING_CODES;

export interface Issue {
  readonly code: IssueCode | WarningCode;
  readonly file: string;
  /** 1 or more */
  readonly line: number;
  /** 1 or more, in UTF-16 units as editors count */
  readonly column: number;
  /** The dotted path of the key, `pools.pg.backends[0].weight`. */
  readonly key: string;
  readonly problem: string;
  readonly expected: string;
  readonly got: string;
}

/** `FILE:LINE:COLUMN: key: problem (expected …; got …)`, always one line. */
export function formatIssue(issue: Issue): string {
  const { file, line, column, key, problem, expected, got } = issue;
  return `${file}:${line}:${column}: ${key}: ${problem} (expected ${expected}; got ${got})`;
}

/** `FILE:LINE:COLUMN: warning: key: problem (expected …; got …)` */
export function formatWarning(warning: Issue): string {
  const { file, line, column } = warning;
  const place = `${file}:${line}:${column}: `;
  return `${place}warning: ${formatIssue(warning).slice(place.length)}`;
}
