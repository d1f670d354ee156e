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
  duplicate: 'Something stands there twice: give one of the two another name or address.',
  occupied: 'Something else than a socket is at that path: move it away, or choose another path.',
  'unknown-pool':
    'A listener names a pool that the file does not define: define it or correct the name.',
  'too-many': 'Shared memory is laid out for so many at start: use fewer.',
  'not-in-this-version': 'The reference describes it, but this version cannot do it: leave it out.',
} as const;
export type IssueCode = keyof typeof ISSUE_CODES;

export interface Issue {
  readonly code: IssueCode;
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

/** By place in the file; the order of problems at one place does not depend on who found them. */
export function sortIssues(issues: readonly Issue[]): readonly Issue[] {
  return issues.toSorted(
    (a, b) =>
      a.line - b.line ||
      a.column - b.column ||
      compareText(a.key, b.key) ||
      compareText(a.problem, b.problem),
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
