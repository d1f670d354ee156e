/** The rooms of src and what each may import, as ARCHITECTURE.md has them. No cycles. */
import t from 'tap';
import { below, readText, type Source } from './support/tree.js';

const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  balance: ['core'],
  pool: ['core', 'balance'],
  session: ['core', 'pool'],
  engine: ['core', 'session', 'kernel'],
  kernel: ['core'],
  files: [],
  secrets: [],
  health: ['core', 'files', 'secrets'],
  discovery: ['core', 'files', 'secrets'],
  config: ['core', 'files'],
  names: ['core'],
  import: ['core', 'config'],
  observe: ['core'],
  system: ['core'],
  admin: ['core'],
  control: [
    'core',
    'balance',
    'pool',
    'session',
    'engine',
    'kernel',
    'files',
    'secrets',
    'health',
    'discovery',
    'config',
    'names',
    'observe',
    'system',
    'admin',
  ],
  library: [
    'core',
    'balance',
    'pool',
    'files',
    'health',
    'discovery',
    'config',
    'names',
    'observe',
    'system',
  ],
  cli: ['core', 'balance', 'files', 'discovery', 'config', 'import', 'system', 'admin', 'control'],
};

const ALMOST_ALL = Object.keys(ROOMS).filter(
  (name) => !['control', 'import', 'library', 'cli'].includes(name),
);

const PURE = ['core', 'balance', 'pool', 'session', 'import'];

const room = (path: string): string => path.split('/')[1] ?? '';

t.test('every file of src stands in a room', async (t) => {
  const homeless = below('src').filter(({ path }) => !(room(path) in ROOMS));
  t.same(
    homeless.map(({ path }) => path),
    [],
  );
});

t.test('a room imports only what it may', async (t) => {
  const found = below('src').flatMap(({ path, imports }) => {
    const allowed = [room(path), ...(ROOMS[room(path)] ?? [])];
    return imports
      .filter(({ file }) => file !== null)
      .filter(({ file }) => !file?.startsWith('src/') || !allowed.includes(room(file)))
      .map(({ specifier }) => `${path} imports ${specifier}`);
  });
  t.same(found, []);
});

t.test('the pure rooms import no package and nothing of Node.js', async (t) => {
  const found = PURE.flatMap((name) => below(`src/${name}`)).flatMap(({ path, imports }) =>
    imports.filter(({ file }) => file === null).map(({ specifier }) => `${path}: ${specifier}`),
  );
  t.same(found, []);
});

t.test('no file needs itself when it loads, over however many others', async (t) => {
  const files = new Map(below('src').map((source) => [source.path, source]));
  t.same(cycle(files), null);
});

t.test('ARCHITECTURE.md says the same', async (t) => {
  const rows = [...readText('ARCHITECTURE.md').matchAll(/^\| `src\/(\w+)` \| .* \| (.*) \|$/gm)];
  t.same(rows.map(([, name]) => name).sort(), Object.keys(ROOMS).sort());
  for (const [, name = '', may = ''] of rows) {
    const rooms = may === 'all but import, library and cli' ? ALMOST_ALL : may.split(', ');
    const expected = ROOMS[name] ?? [];
    t.same(
      rooms.filter((room) => room !== 'nothing').toSorted(),
      expected.toSorted(),
      `src/${name}`,
    );
  }
});

t.test('ARCHITECTURE.md names every folder of a room', async (t) => {
  const code = [...readText('ARCHITECTURE.md').matchAll(/`([^`\n]+)`/g)].map(([, text]) => text);
  const folders = new Set(
    below('src').flatMap(({ path }) => {
      const parts = path.split('/').slice(1, -1);
      return parts.slice(1).map((_, at) => parts.slice(0, at + 2).join('/'));
    }),
  );
  t.ok(folders.size > 20, 'folders are found');
  // `ctl/` in the paragraph of its room, or a path with it.
  const isNamed = (folder: string): boolean => {
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    return code.some(
      (text = '') => text.startsWith(`${name}/`) || `${text}/`.includes(`/${name}/`),
    );
  };
  t.same(
    [...folders].filter((folder) => !isNamed(folder)),
    [],
  );
});

/** The first circle of imports, as paths; null: there is none. */
function cycle(files: ReadonlyMap<string, Source>): string[] | null {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const { file, kind } of files.get(path)?.imports ?? []) {
      const found = file === null || kind === 'type' ? null : visit(file, [...trail, path]);
      if (found !== null) return found;
    }
    done.add(path);
    return null;
  };
  for (const path of files.keys()) {
    const found = visit(path, []);
    if (found !== null) return found;
  }
  return null;
}
