/** From the text of a configuration file to a Spec, or to everything that is wrong with it. */
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { NOT_IN_THIS_VERSION, type Unavailable } from './availability.js';
import { BrokenPlaces } from './broken.js';
import { CHECKS, WARNINGS } from './checks/all.js';
import { findUnavailable } from './checks/availability.js';
import type { Check, CheckScene, FileState, Finding } from './checks/check.js';
import { explainFault } from './explain.js';
import type { Issue } from './issue.js';
import { indexPositions, NO_POSITIONS } from './positions.js';
import { issuesOf } from './problems.js';
import { readTree } from './read_tree.js';
import { type Config, ROOT, specOf } from './schema/root.js';
import { readToml, type SyntaxFault, type TomlTree, valueAt } from './toml.js';

export interface LoadOptions {
  /** What this version cannot do. */
  readonly refused?: readonly Unavailable[];
  /** Checks that a text need not pass everywhere. */
  readonly further?: readonly Check[];
  /** Looks at a path that the configuration names; for warnings only. */
  readonly fileState?: (path: string) => FileState;
}

export interface Loaded {
  readonly spec: Spec;
  /** What is allowed and nearly always a mistake, in the order of the file. */
  readonly warnings: readonly Issue[];
}

/**
 * Reads `text`; `fileName` is only for the issues. A syntax error is the only issue of its file;
 * otherwise every problem is there, in the order of the file, up to MAX_SHOWN. Pure, and it never
 * throws. The work grows with the length of the text, whatever the text says.
 */
export function loadConfig(
  text: string,
  fileName: string,
  options: LoadOptions = {},
): Result<Loaded, readonly Issue[]> {
  const toml = readToml(text);
  if (!toml.ok) return err([syntaxIssue(toml.fault, fileName)]);
  const { tree } = toml;
  const { config, findings, warnings } = examine(tree, options);
  const all = findings.length === 0 ? warnings : findings;
  const positions = all.length === 0 ? NO_POSITIONS : indexPositions(text);
  const issues = issuesOf(all, { tree, positions, fileName });
  return findings.length === 0 ? ok({ spec: specOf(config), warnings: issues }) : err(issues);
}

export interface Examined {
  /** What is wrong counts as absent. */
  readonly config: Config;
  readonly findings: readonly Finding[];
  /** None while anything is wrong. */
  readonly warnings: readonly Finding[];
}

/** Everything that is wrong with `tree`, wherever it comes from. */
export function examine(tree: TomlTree, options: LoadOptions = {}): Examined {
  const { refused = NOT_IN_THIS_VERSION, further = [], fileState = () => 'readable' } = options;
  const { value: config, faults, broken, read } = readTree(ROOT, tree);
  const scene: CheckScene = {
    config,
    given: (path) => valueAt(tree, path) !== undefined,
    fileState,
  };
  const checked =
    read === 'partly'
      ? []
      : [...run([...CHECKS, ...further], scene), ...findUnavailable(tree, refused)];
  const places = new BrokenPlaces(broken);
  const findings = [
    ...faults.map((fault) => explainFault(ROOT, tree, fault)),
    ...checked.filter((finding) => stands(finding, places)),
  ];
  return { config, findings, warnings: findings.length === 0 ? run(WARNINGS, scene) : [] };
}

function run(checks: readonly Check[], scene: CheckScene): readonly Finding[] {
  return checks.flatMap((check) => check(scene));
}

/** A finding about values that were broken themselves would only confuse. */
function stands({ code, path, rests = [] }: Finding, broken: BrokenPlaces): boolean {
  // A key that does not belong there does not, whatever its value.
  const values = code === 'misplaced' ? rests : [path, ...rests];
  return !values.some((value) => broken.holds(value));
}

function syntaxIssue(fault: SyntaxFault, file: string): Issue {
  return { code: 'syntax', file, key: 'syntax', ...fault };
}
