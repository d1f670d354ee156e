/** How the code looks, as far as a program can see it. */
import t from 'tap';
import ts from 'typescript';
import { below, nodes, place, type Source, sources } from './support/tree.js';

const MAX_FILE_LINES = 400;
const MAX_SRC_FILE_LINES = 300;
const MEDIAN_FILE_LINES = 110;
const MAX_FUNCTION_LINES = 60;
const MAX_COLUMNS = 100;

const find = (test: (node: ts.Node) => boolean, among: readonly Source[] = sources): string[] =>
  among.flatMap((source) =>
    [...nodes(source.tree)].filter(test).map((node) => place(source, node)),
  );

t.test('a file begins with a sentence on what it is, unless its test names say so', async (t) => {
  const told = sources.filter(({ path }) => !path.endsWith('.test.ts'));
  const bare = told.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text));
  t.same(
    bare.map(({ path }) => path),
    [],
  );
});

t.test('files are short: half of src below 110 lines, all of src below 300', async (t) => {
  const most = (path: string): number =>
    path.startsWith('src/') ? MAX_SRC_FILE_LINES : MAX_FILE_LINES;
  const long = sources.filter(({ path, lines }) => lines.length > most(path));
  t.same(
    long.map(({ path, lines }) => `${path}: ${lines.length}`),
    [],
  );
  const lengths = below('src').map(({ lines }) => lines.length);
  const median = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)] ?? 0;
  t.ok(median < MEDIAN_FILE_LINES, `median ${median}`);
});

t.test('a function has fewer than 60 lines; one that only lists tests may be longer', async (t) => {
  const working = sources.filter(
    ({ path }) => !path.startsWith('test/') || /\/support\//.test(path),
  );
  const found = working.flatMap((source) =>
    [...nodes(source.tree)]
      .filter((node) => ts.isFunctionLike(node) && lineCount(source, node) >= MAX_FUNCTION_LINES)
      .map((node) => `${place(source, node)}: ${lineCount(source, node)} lines`),
  );
  t.same(found, []);
});

t.test('lines have up to 100 characters, unless one string is longer', async (t) => {
  const found = sources.flatMap((source) =>
    source.lines.flatMap((line, index) =>
      line.length > MAX_COLUMNS && !endsInText(source, index)
        ? [`${source.path}:${index + 1}`]
        : [],
    ),
  );
  t.same(found, []);
});

t.test('no any, no non-null assertion, no enum, no namespace', async (t) => {
  t.same(
    find((node) => node.kind === ts.SyntaxKind.AnyKeyword),
    [],
  );
  t.same(find(ts.isNonNullExpression), []);
  t.same(
    find((node) => ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node)),
    [],
  );
});

t.test('exports have names, and no file passes on the exports of another', async (t) => {
  t.same(find(ts.isExportAssignment), []);
  t.same(
    find((node) => node.kind === ts.SyntaxKind.DefaultKeyword && isModifier(node)),
    [],
  );
  const passedOn = find(
    (node) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined,
  );
  t.same(passedOn, []);
});

t.test(
  'an exported type has a name of its own; only the engines have the same parts',
  async (t) => {
    const places = new Map<string, string[]>();
    for (const source of below('src')) {
      const part = source.path.replace(/^src\/engine\/(node|uring)\//, 'src/engine/');
      for (const statement of source.tree.statements) {
        if (!isExportedType(statement)) continue;
        const name = statement.name?.text ?? '';
        places.set(name, [...new Set([...(places.get(name) ?? []), part])]);
      }
    }
    t.ok(places.size > 500, 'types are found');
    const twice = [...places].filter(([, paths]) => paths.length > 1);
    t.same(
      twice.map(([name, paths]) => `${name}: ${paths.join(', ')}`),
      [],
    );
  },
);

t.test('no parameter is a boolean: two words say more than true and false', async (t) => {
  const isBoolean = (node: ts.Node): boolean =>
    ts.isParameter(node) &&
    node.type?.kind === ts.SyntaxKind.BooleanKeyword &&
    !ts.isFunctionTypeNode(node.parent);
  t.same(find(isBoolean, below('src')), []);
});

t.test('a switch over a union ends in unreachable: no default swallows a new case', async (t) => {
  const swallows = (node: ts.Node): boolean =>
    ts.isDefaultClause(node) && node.statements.length === 0;
  t.same(find(swallows, below('src')), []);
});

t.test('no comment leaves anything for later', async (t) => {
  const later = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|');
  const comment = new RegExp(`(^\\s*\\*|/\\*|//) .*\\b(${later})\\b`);
  const found = sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (comment.test(line) ? [`${path}:${index + 1}`] : [])),
  );
  t.same(found, []);
});

/** Column 100 of the line stands in a string: a sentence is easier to find in one piece. */
function endsInText({ tree }: Source, line: number): boolean {
  const position = tree.getPositionOfLineAndCharacter(line, MAX_COLUMNS - 1);
  for (const node of nodes(tree)) {
    if (node.getStart() > position || node.getEnd() <= position) continue;
    if (ts.isStringLiteral(node) || ts.isTemplateExpression(node)) return true;
    if (ts.isNoSubstitutionTemplateLiteral(node)) return true;
  }
  return false;
}

function isExportedType(
  node: ts.Statement,
): node is ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.ClassDeclaration {
  const isType =
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isClassDeclaration(node);
  return isType && (node.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

function isModifier(node: ts.Node): boolean {
  return !ts.isDefaultClause(node.parent);
}

function lineCount({ tree }: Source, node: ts.Node): number {
  const first = tree.getLineAndCharacterOfPosition(node.getStart()).line;
  return tree.getLineAndCharacterOfPosition(node.getEnd()).line - first + 1;
}
