/** One name, one meaning: what is exported under the same name twice is the same thing twice. */
import t from 'tap';
import { exportedNames } from './support/exports.js';
import { below } from './support/tree.js';

/** Folders (or files) that may each have a name of the other, and why that is no second meaning. */
const ALIKE: readonly (readonly [one: string, other: string, because: string])[] = [
  ['src/engine/node/', 'src/engine/uring/', 'two engines by one contract'],
  ['src/import/haproxy/', 'src/import/nginx/', 'two importers of one shape'],
  ['src/config/schema/', 'src/control/api/', 'tables and kinds of values, in file and API'],
  ['src/cli/ctl/', 'src/control/desired/', 'a command has the name of the order that it gives'],
  ['src/cli/explain.ts', 'src/cli/ctl/explain.ts', 'of a file, and of a running daemon'],
];

const declaredIn = new Map<string, string[]>();
for (const { path, tree } of below('src')) {
  const names = new Set(tree.statements.flatMap(exportedNames));
  for (const name of names) declaredIn.set(name, [...(declaredIn.get(name) ?? []), path]);
}

const several = [...declaredIn].filter(([, paths]) => paths.length > 1);

t.test('no name is exported with two meanings', async (t) => {
  t.ok(declaredIn.size > 1_000, 'names are found');
  const found = several.filter(([, paths]) => !ALIKE.some((pair) => fits(paths, pair)));
  t.same(
    found.map(([name, paths]) => `${name}: ${paths.join(', ')}`),
    [],
  );
});

t.test('every exception is in use', async (t) => {
  const idle = ALIKE.filter((pair) => !several.some(([, paths]) => fits(paths, pair)));
  t.same(idle, []);
});

function fits(paths: readonly string[], [one, other]: (typeof ALIKE)[number]): boolean {
  const [first = '', second = '', ...more] = paths;
  if (more.length > 0) return false;
  return (
    (first.startsWith(one) && second.startsWith(other)) ||
    (first.startsWith(other) && second.startsWith(one))
  );
}
