/** Nothing is exported that only its own tests use, and every dependency is imported. */
import t from 'tap';
import ts from 'typescript';
import { exportedNames } from './support/exports.js';
import { nodes, place, readText, sources } from './support/tree.js';

/** What the package offers to others: its entries are used from outside. */
const offered = new Set(
  Object.values(
    JSON.parse(readText('package.json')).exports as Record<string, { default?: string }>,
  ).flatMap((entry) => entry.default?.replace('./dist/', '').replace(/\.js$/, '.ts') ?? []),
);

const programs = sources.filter(({ path }) => !path.startsWith('test/'));

t.test('every export of src is used by a program, not only by tests', async (t) => {
  const uses = new Map<string, number>();
  for (const { tree } of programs) {
    for (const node of nodes(tree)) {
      if (ts.isIdentifier(node)) uses.set(node.text, (uses.get(node.text) ?? 0) + 1);
    }
  }
  const found = programs
    .filter(({ path }) => path.startsWith('src/') && !offered.has(path))
    .flatMap((source) =>
      source.tree.statements.flatMap((statement) =>
        exportedNames(statement)
          .filter((name) => uses.get(name) === 1)
          .map((name) => `${place(source, statement)}: ${name}`),
      ),
    );
  t.same(found, []);
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
