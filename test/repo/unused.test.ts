/** Nothing is there that only tests use, and every dependency is imported. */
import t from 'tap';
import ts from 'typescript';
import { exportedNames } from './support/exports.js';
import { below, nodes, place, readText, sources } from './support/tree.js';

/** What the package offers to others: its entries are used from outside. */
const offered = new Set(
  Object.values(
    JSON.parse(readText('package.json')).exports as Record<string, { default?: string }>,
  ).flatMap((entry) => entry.default?.replace('./dist/', '').replace(/\.js$/, '.ts') ?? []),
);

const programs = sources.filter(({ path }) => !/^(test|benchmarks)\//.test(path));

/** What no program uses by name, and why it is there. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  pick: 'applications call it: of a balancer and of a Picker (docs/library.md)',
  succeeded: 'applications call it: of a lease (docs/library.md)',
  disconnect: 'ioredis calls it: of its Connector',
  labelNames: 'prom-client reads it: of a metric',
};

const unused = [...unusedExports(), ...unusedMembers()];

t.test('every export and public member of src is used by a program', async (t) => {
  const found = unused.filter(({ name }) => EXCEPTIONS[name] === undefined);
  t.same(
    found.map(({ at, name }) => `${at}: ${name}`),
    [],
  );
});

t.test('every exception is in use', async (t) => {
  const names = new Set(unused.map(({ name }) => name));
  t.same(
    Object.keys(EXCEPTIONS).filter((name) => !names.has(name)),
    [],
  );
});

t.test('every dependency is imported or called by name', async (t) => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    readText('package.json'),
  ) as Record<string, Readonly<Record<string, string>>>;
  const named = new Set(
    sources.flatMap(({ imports }) => imports.map(({ specifier }) => specifier)),
  );
  const called = ['@biomejs/biome', '@types/dns-packet', '@types/node'];
  const all = [dependencies, optionalDependencies, devDependencies].flatMap((each) =>
    Object.keys(each ?? {}),
  );
  t.same(
    all.filter((name) => !named.has(name) && !called.includes(name)),
    [],
  );
});

interface Found {
  readonly at: string;
  readonly name: string;
}

/** A name that stands once in all programs is only declared. */
function unusedExports(): Found[] {
  const uses = new Map<string, number>();
  for (const { tree } of programs) {
    for (const node of nodes(tree)) {
      if (ts.isIdentifier(node)) uses.set(node.text, (uses.get(node.text) ?? 0) + 1);
    }
  }
  return below('src')
    .filter(({ path }) => !offered.has(path))
    .flatMap((source) =>
      source.tree.statements.flatMap((statement) =>
        exportedNames(statement)
          .filter((name) => uses.get(name) === 1)
          .map((name) => ({ at: place(source, statement), name })),
      ),
    );
}

/** By name, whichever class is asked: a second class that has the member hides it. */
function unusedMembers(): Found[] {
  const asked = new Set<string>();
  for (const { tree } of programs) {
    for (const node of nodes(tree)) for (const name of namesAsked(node)) asked.add(name);
  }
  return below('src').flatMap((source) =>
    [...nodes(source.tree)].filter(isMember).flatMap((member) => {
      const { name } = member;
      const isAsked = name === undefined || !ts.isIdentifier(name) || asked.has(name.text);
      return isAsked ? [] : [{ at: place(source, member), name: name.text }];
    }),
  );
}

/** What overrides another one is called by the class that it extends. */
function isMember(node: ts.Node): node is ts.ClassElement | ts.MethodSignature {
  if (ts.isMethodSignature(node)) return true;
  return ts.isClassElement(node) && !isOverride(node);
}

function isOverride(node: ts.ClassElement): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.OverrideKeyword)
  );
}

/** What is read, called or set by its name: `a.name`, `{ name } = a`, `a['name']`. */
function namesAsked(node: ts.Node): string[] {
  if (ts.isPropertyAccessExpression(node)) return [node.name.text];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (!ts.isBindingElement(node)) return [];
  const name = node.propertyName ?? node.name;
  return ts.isIdentifier(name) ? [name.text] : [];
}
