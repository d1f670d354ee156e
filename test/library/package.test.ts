/**
 * What an application gets by `npm install` of the package: the library and its types, which need
 * nothing of the daemon, and the daemon itself.
 */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { sources } from '../repo/support/tree.js';
import { tempFolder } from '../support/places.js';
import { mustRun } from '../support/process.js';
import { repositoryRoot } from '../support/repository.js';
import { examplesIn, examplesOf } from './example_code.js';

const ENTRIES = ['sluice', 'algorithms', 'http', 'ioredis', 'pg', 'undici'].map(
  (name) => `src/library/${name}.ts`,
);
/** As they are packed: what is the library's alone, and that with all that it shares. */
const MAX_OWN_BYTES = 50_000;
const MAX_BYTES = 176_000;
/** What the library needs; all other dependencies are the daemon's. */
const NEEDED = ['dns-packet', 'toml', 'yaml', 'zod'];
/** And what these need. */
const BEYOND = ['@leichtgewicht/ip-codec'];

interface Reach {
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

/** Everything that loads when `entries` do. */
function reachOf(entries: readonly string[]): Reach {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    for (const { file, specifier, kind } of byPath.get(path)?.imports ?? []) {
      if (kind === 'type') continue;
      if (file === null) packages.add(specifier);
      else visit(file);
    }
  };
  for (const entry of entries) visit(entry);
  return { files: [...files], packages: [...packages] };
}

const reach = reachOf(ENTRIES);

t.test('it reaches no foreign call, no thread, no log and no exposition', async (t) => {
  const packages = reach.packages.filter((name) => !name.startsWith('node:'));
  t.same(packages.sort(), NEEDED);
  t.notOk(reach.packages.includes('node:worker_threads'));
  const rooms = new Set(reach.files.map((path) => path.split('/')[1]));
  for (const room of ['kernel', 'engine', 'session', 'control', 'admin', 'cli']) {
    t.notOk(rooms.has(room), room);
  }
});

t.test('its code is small', async (t) => {
  const own = reach.files.filter((path) => path.startsWith('src/library/'));
  t.comment(`own: ${own.length} files, ${packed(own)} bytes`);
  t.comment(`all: ${reach.files.length} files, ${packed(reach.files)} bytes`);
  t.ok(packed(own) <= MAX_OWN_BYTES);
  t.ok(packed(reach.files) <= MAX_BYTES);
});

t.test('it installs into an empty project, and runs without the daemon in it', async (t) => {
  const folder = tempFolder(t);
  await mustRun('npm', ['run', '--silent', 'prepack'], { cwd: repositoryRoot, limitMs: 120_000 });
  const flags = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const [tarball] = JSON.parse(
    await mustRun('npm', ['pack', ...flags], { cwd: repositoryRoot, limitMs: 120_000 }),
  );
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
  );
  const overrides: Record<string, string> = {};
  const all = [...Object.keys({ ...dependencies, ...optionalDependencies }), ...BEYOND];
  for (const name of all) {
    if ([...NEEDED, ...BEYOND].includes(name))
      overrides[name] = `file:${repositoryRoot}/node_modules/${name}`;
    else overrides[name] = standIn(folder, name);
  }
  const project = { name: 'empty', type: 'module', private: true, overrides };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  const offline = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await mustRun('npm', ['install', ...offline, `./${tarball.filename}`], {
    cwd: folder,
    limitMs: 120_000,
  });
  const [example = ''] = await examplesOf(t, 'README.md');
  writeFileSync(join(folder, 'main.mjs'), example);
  t.equal(await mustRun(process.execPath, ['main.mjs'], { cwd: folder }), 'Ada');
  const documented = ['README.md', 'docs/library.md'].flatMap(examplesIn);
  const typed = [TYPED, ...documented].map((code, index) => {
    writeFileSync(join(folder, `typed-${index}.ts`), `${code}\nexport {};\n`);
    return `typed-${index}.ts`;
  });
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  const types = join(repositoryRoot, 'node_modules/@types/node');
  symlinkSync(types, join(folder, 'node_modules/@types/node'));
  const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
  const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
  await mustRun(process.execPath, [compiler, ...strict, '--types', 'node', ...typed], {
    cwd: folder,
    limitMs: 120_000,
  });
  await t.test('and with what the daemon needs, the daemon runs', (t) => runDaemon(t, folder));
});

t.test('it may be published, with what its README leads to', async (t) => {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  t.notOk('private' in manifest);
  const listed = await mustRun('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: repositoryRoot,
    limitMs: 120_000,
  });
  const [{ files }] = JSON.parse(listed) as [{ files: readonly { readonly path: string }[] }];
  const packed = new Set(files.map(({ path }) => path));
  const entries = Object.values(manifest.exports as Record<string, unknown>).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry as Record<string, string>),
  );
  const needed = [...entries, ...Object.values<string>(manifest.bin), ...manifest.man];
  t.same(
    needed.map((path: string) => path.replace('./', '')).filter((path) => !packed.has(path)),
    [],
  );
  t.same(
    [...packed].filter((path) =>
      /^(test|benchmarks|node_modules)\/|^dist\/(?!src|types)|\.map$/.test(path),
    ),
    [],
  );
  const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:|#|benchmarks)([^)#]+)/g)].map(
    ([, path]) => path,
  );
  t.same(
    links.filter((path = '') => ![...packed].some((file) => `${file}/`.startsWith(`${path}/`))),
    [],
  );
});

/** In the same folder, with the true dependencies in place of the stand-ins. */
async function runDaemon(t: Test, folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(modules, 'sluice/package.json'), 'utf8'),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    rmSync(join(modules, name), { recursive: true, force: true });
    symlinkSync(join(repositoryRoot, 'node_modules', name), join(modules, name));
  }
  const sluice = join(modules, '.bin/sluice');
  const run = (...words: readonly string[]): Promise<string> =>
    mustRun(sluice, words, { cwd: folder, limitMs: 60_000 });
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  t.equal((await run('--version')).trim(), version);
  t.match(await run('check', '-c', join(modules, 'sluice/conf/minimal.toml')), 'good');
  t.match(await run('demo', '--for', '1s'), /\b0 failed/, 'workers start from there too');
}

function packed(files: readonly string[]): number {
  const texts = files.map((path) => {
    const file = path.replace(/\.ts$/, '.js');
    return readFileSync(join(repositoryRoot, 'dist', file), 'utf8');
  });
  return gzipSync(texts.join(''), { level: 9 }).length;
}

/** In place of a dependency of the daemon: an import of it breaks. */
function standIn(folder: string, name: string): string {
  const place = join(folder, 'stand-ins', name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version: '99.0.0' }));
  writeFileSync(join(place, 'index.js'), `throw new Error('${name} is of the daemon');\n`);
  return `file:${place}`;
}

const TYPED = `import {
  type Backend, type BalancerOptions, createBalancer, NoBackendError, OptionsError,
} from 'sluice';
const options: BalancerOptions = { backends: ['10.0.0.1:80'], health: { interval: 500 } };
const balancer = await createBalancer(options);
const length: number = await balancer.execute(async (backend: Backend, { signal, attempt }) => {
  const still: boolean = signal.aborted;
  return backend.address.length + attempt + Number(still);
});
balancer.on('backend-down', ({ backend, cause, sessions }) => {
  const told: string = backend + cause + sessions.toFixed() + length.toFixed();
  return told;
});
// @ts-expect-error no such policy
await createBalancer({ policy: 'fastest' });
// @ts-expect-error no such event
balancer.on('backend-lost', () => {});
const code: string = new OptionsError([]).code;
if ((code as unknown) instanceof NoBackendError) throw new Error();
`;
