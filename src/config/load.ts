/** From the text of a configuration file to a Spec, or to everything that is wrong with it. */
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { NOT_IN_THIS_VERSION, type Unavailable } from './availability.js';
import { CHECKS } from './checks/all.js';
import { findUnavailable } from './checks/availability.js';
import type { Check, Finding } from './checks/check.js';
import { explainFault, showAt } from './explain.js';
import { type Issue, sortIssues } from './issue.js';
import { formatPath, type Path, startsWith } from './path.js';
import { indexPositions, type Positions } from './positions.js';
import { readTree } from './read_tree.js';
import { ROOT, specOf } from './schema/root.js';
import { readToml, type SyntaxFault, type TomlTree, valueAt } from './toml.js';

/**
 * Reads `text`; `fileName` is only for the issues. A syntax error is the only issue of its file;
 * otherwise every problem is there, in the order of the file. Pure, and it never throws. `refused`
 * is what this version cannot do; `further` are checks that a text need not pass everywhere.
 */
export function loadConfig(
  text: string,
  fileName: string,
  refused: readonly Unavailable[] = NOT_IN_THIS_VERSION,
  further: readonly Check[] = [],
): Result<Spec, readonly Issue[]> {
  const toml = readToml(text);
  if (!toml.ok) return err([syntaxIssue(toml.fault, fileName)]);
  const { tree } = toml;
  const positions = indexPositions(text);
  const { value: config, faults, broken } = readTree(ROOT, tree);
  const scene = { config, given: (path: Path) => valueAt(tree, path) !== undefined };
  const checked = [
    ...[...CHECKS, ...further].flatMap((check) => check(scene)),
    ...findUnavailable(tree, refused),
  ];
  const found = checked.filter((finding) => stands(finding, broken));
  const findings = [...faults.map((fault) => explainFault(ROOT, tree, fault)), ...found];
  if (findings.length === 0) return ok(specOf(config));
  const issues = findings.map((finding) => place(finding, tree, positions, fileName));
  return err(sortIssues(issues));
}

/** A finding about values that were broken themselves would only confuse. */
function stands({ code, path, rests = [] }: Finding, broken: readonly Path[]): boolean {
  // A key that does not belong there does not, whatever its value.
  const values = code === 'misplaced' ? rests : [path, ...rests];
  return !values.some((value) => broken.some((one) => startsWith(value, one)));
}

function place(finding: Finding, tree: TomlTree, positions: Positions, file: string): Issue {
  const { code, path, problem, expected } = finding;
  return {
    code,
    file,
    ...positions.near(path),
    key: formatPath(path),
    problem,
    expected,
    got: finding.got ?? showAt(ROOT, tree, path),
  };
}

function syntaxIssue(fault: SyntaxFault, file: string): Issue {
  return { code: 'syntax', file, key: 'syntax', ...fault };
}
