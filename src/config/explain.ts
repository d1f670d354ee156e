/** Turns a fault of the schema into a finding: what the key expects, and what was likely meant. */
import type { Finding } from './checks/check.js';
import { bySimilarity, isSimilar } from './nearest.js';
import { formatPath, type Path } from './path.js';
import type { Fault } from './reading.js';
import { wordList } from './schema/kinds.js';
import { describe, homesOf } from './schema/lookup.js';
import type { Node, Table } from './schema/node.js';
import { quote, showKind, showValue } from './show.js';
import { type TomlTree, valueAt } from './toml.js';

const NAME_RULE = 'a name of 1 to 64 letters, digits, "_", "-" and ".", a letter or digit first';

export function explainFault(root: Table, tree: TomlTree, fault: Fault): Finding {
  const { code, path, problem } = fault;
  const { node } = describe(root, path);
  if (code === 'unknown-key') return explainUnknown(root, fault);
  const isName = code === 'bad-name' && node.kind === 'table';
  return {
    code,
    path,
    problem,
    expected: isName ? NAME_RULE : expectedOf(node),
    got: isName ? quote(String(path.at(-1))) : showAt(root, tree, path),
  };
}

/**
 * What the file has at `path`. Of a key that may hold a secret only its kind, and likewise of what
 * stands where a table belongs: nobody knows what it was meant to be.
 */
export function showAt(root: Table, tree: TomlTree, path: Path): string {
  const { node } = describe(root, path);
  const value = valueAt(tree, path);
  return node.kind === 'leaf' && !node.sensitive ? showValue(value) : showKind(value);
}

function expectedOf(node: Node): string {
  switch (node.kind) {
    case 'leaf':
      return node.expected;
    case 'table':
      return 'a table';
    case 'named':
      return 'tables by name';
    case 'listed':
      return 'a list of tables';
  }
}

/** An unknown key names the nearest known one, or the place where it would be known. */
function explainUnknown(root: Table, fault: Fault): Finding {
  const { code, path, problem } = fault;
  const { node, path: table } = describe(root, path);
  const word = String(path.at(-1));
  const known = node.kind === 'table' ? Object.keys(node.fields) : [];
  const ranked = bySimilarity(word, known);
  const nearest = ranked[0] ?? '';
  const got = quote(word);
  if (isSimilar(word, nearest)) return { code, path, problem, expected: nearest, got };
  const [home] = homesOf(root, word, path);
  const others = [...ranked.slice(0, 3), `another key of ${formatPath(table) || 'the file'}`];
  const expected = home === undefined ? wordList(others) : `${nearest}, or it under ${home.header}`;
  return { code, path, problem, expected, got };
}
