/** Turns a fault of the schema into a finding: what the key expects, and what was likely meant. */
import type { Finding } from './checks/check.js';
import { knownKey } from './foreign_words.js';
import { bySimilarity, isSimilar } from './nearest.js';
import { formatPath, type Path } from './path.js';
import type { Fault } from './reading.js';
import { wordList } from './schema/kinds.js';
import { describe, homesOf } from './schema/lookup.js';
import type { Node, TableNode } from './schema/node.js';
import { quote, showKind, showValue } from './show.js';
import { type TomlTree, valueAt } from './toml.js';

const NAME_RULE = 'a name of 1 to 64 letters, digits, "_", "-" and ".", a letter or digit first';

export function explainFault(root: TableNode, tree: TomlTree, fault: Fault): Finding {
  const { code, path, problem } = fault;
  const about = (): Node => describe(root, path).node;
  const last = (): string => quote(String(path.at(-1)));
  if (code === 'unknown-key') {
    return { code, path, problem, expected: () => expectedKey(root, path), got: last };
  }
  if (code === 'too-many') {
    const expected = 'a smaller file, or a correct one';
    return { code, path, problem, expected, got: 'the whole file' };
  }
  const isName = (): boolean => code === 'bad-name' && about().kind === 'table';
  return {
    code,
    path,
    problem,
    expected: () => (isName() ? NAME_RULE : expectedValue(about(), valueAt(tree, path))),
    got: () => (isName() ? last() : showAt(root, tree, path)),
  };
}

/**
 * What the file has at `path`. Of a key that may hold a secret only its kind, and likewise of what
 * stands where a table belongs: it is unknown what it was meant to be.
 */
export function showAt(root: TableNode, tree: TomlTree, path: Path): string {
  const { node } = describe(root, path);
  const value = valueAt(tree, path);
  return node.kind === 'leaf' && !node.sensitive ? showValue(value) : showKind(value);
}

function expectedValue(node: Node, value: unknown): string {
  switch (node.kind) {
    case 'leaf':
      return node.expectedFor(value);
    case 'table':
      return 'a table';
    case 'named':
      return 'tables by name';
    case 'listed':
      return 'a list of tables';
  }
}

/** In place of an unknown key: the nearest known one, or the place where it would be known. */
function expectedKey(root: TableNode, path: Path): string {
  const { node, path: table } = describe(root, path);
  const word = String(path.at(-1));
  const known = node.kind === 'table' ? Object.keys(node.fields) : [];
  const meant = knownKey(word, known);
  if (meant !== null) return meant;
  const ranked = bySimilarity(word, known);
  const nearest = ranked[0] ?? '';
  if (isSimilar(word, nearest)) return nearest;
  const [home] = homesOf(root, word, path);
  if (home !== undefined) return `it under ${home.header}`;
  const others = [...ranked.slice(0, 3), `another key of ${formatPath(table) || 'the file'}`];
  return wordList(others);
}
