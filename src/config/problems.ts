/**
 * From findings to the issues that people read: each gets its place in the text. A file can have as
 * many problems as bytes, and people read no more than the first page: those beyond MAX_SHOWN are
 * counted, and nothing else is worked out for them.
 */
import { type Finding, textOf } from './checks/check.js';
import { showAt } from './explain.js';
import type { Issue } from './issue.js';
import { formatPath } from './path.js';
import type { Position, Positions } from './positions.js';
import { ROOT } from './schema/root.js';
import type { TomlTree } from './toml.js';

/** Problems, or warnings, that are shown of one file. */
export const MAX_SHOWN = 100;

export interface ReadText {
  readonly tree: TomlTree;
  readonly positions: Positions;
  /** Only for the issues. */
  readonly fileName: string;
}

/**
 * The first MAX_SHOWN of `findings` in the order of the file; one more issue, with code
 * 'more-problems', counts the rest.
 */
export function issuesOf(findings: readonly Finding[], text: ReadText): readonly Issue[] {
  const placed = findings
    .map((finding): Placed => {
      const { path } = finding;
      return { finding, key: formatPath(path) || 'file', place: text.positions.near(path) };
    })
    .sort(byPlace);
  const issues = placed.slice(0, MAX_SHOWN).map((one) => issueOf(one, text));
  const next = placed[MAX_SHOWN];
  return next === undefined ? issues : [...issues, moreOf(next, placed.length, text)];
}

interface Placed {
  readonly finding: Finding;
  readonly key: string;
  readonly place: Position;
}

function issueOf({ finding, key, place }: Placed, { tree, fileName }: ReadText): Issue {
  const { code, path, problem, expected, got } = finding;
  const shown = got === undefined ? showAt(ROOT, tree, path) : textOf(got);
  return { code, file: fileName, ...place, key, problem, expected: textOf(expected), got: shown };
}

function moreOf({ key, place }: Placed, count: number, { fileName }: ReadText): Issue {
  const problem = `${count - MAX_SHOWN} more problems from here on`;
  const expected = 'those above corrected first';
  const got = `${count} in all`;
  return { code: 'more-problems', file: fileName, ...place, key, problem, expected, got };
}

/** The order of problems at one place does not depend on which check found them. */
function byPlace(a: Placed, b: Placed): number {
  return (
    a.place.line - b.place.line ||
    a.place.column - b.place.column ||
    compareText(a.key, b.key) ||
    compareText(a.finding.problem, b.finding.problem)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
