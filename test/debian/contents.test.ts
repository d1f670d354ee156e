import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CONFFILES, contents, type Item } from '../../systemd/debian/contents.js';
import { changelogText, controlText } from '../../systemd/debian/control.js';
import { isInstalled, productionModules } from '../../systemd/debian/modules.js';
import { tempFolder } from '../support/places.js';
import { repositoryRoot } from '../support/repository.js';

const HOME = 'usr/lib/sluice';
const bare = { root: repositoryRoot, changelog: '', completion: (shell: string) => shell };
const items = contents({ ...bare, runtime: null });
const paths = new Set(items.map(({ to }) => to));

t.test('each path is installed once, and below the folders of packages only', async (t) => {
  t.equal(paths.size, items.length);
  const folders =
    /^(etc\/sluice|lib\/systemd\/system|usr\/(bin|lib\/(sluice|sysusers\.d|tmpfiles\.d)|share))\//;
  t.same(
    [...paths].filter((path) => !folders.test(path)),
    [],
  );
});

t.test('every dependency is there, and nothing that only builds or tests use', async (t) => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
  ) as Record<string, Readonly<Record<string, string>>>;
  const has = (name: string): boolean => paths.has(`${HOME}/node_modules/${name}/package.json`);
  const needed = Object.keys({ ...dependencies, ...optionalDependencies });
  t.ok(needed.length > 5);
  t.same(
    needed.filter((name) => !has(name)),
    [],
  );
  t.same(Object.keys(devDependencies ?? {}).filter(has), []);
  t.ok(paths.has(`${HOME}/dist/src/cli/main.js`));
  t.same(
    [...paths].filter((path) => /\/dist\/(test|benchmarks|systemd)\/|\.map$|\.ts$/.test(path)),
    [],
  );
});

t.test('unit, user, folders, manual, completions, licence and examples are there', async (t) => {
  const expected = [
    'lib/systemd/system/sluice.service',
    'usr/lib/sysusers.d/sluice.conf',
    'usr/lib/tmpfiles.d/sluice.conf',
    'usr/bin/sluice',
    'usr/share/man/man1/sluice.1.gz',
    'usr/share/man/man1/sluice-ctl.1.gz',
    'usr/share/man/man5/sluice.toml.5.gz',
    'usr/share/bash-completion/completions/sluice',
    'usr/share/zsh/vendor-completions/_sluice',
    'usr/share/fish/vendor_completions.d/sluice.fish',
    'usr/share/doc/sluice/copyright',
    'usr/share/doc/sluice/changelog.gz',
    'usr/share/doc/sluice/examples/annotated.toml',
    ...CONFFILES,
  ];
  t.same(
    expected.filter((path) => !paths.has(path)),
    [],
  );
  // It may come to name secrets; postinst gives it to the group.
  for (const path of CONFFILES) t.equal(found(items, path).mode, 0o640);
});

t.test('the program runs with the Node.js that the package brings, or with Debian’s', async (t) => {
  const program = join(tempFolder(t), 'node');
  const licence = join(repositoryRoot, 'LICENSE');
  const whole = contents({ ...bare, runtime: { program, licence } });
  t.equal(firstLine(whole), '#!/usr/lib/sluice/node');
  t.equal(found(whole, `${HOME}/node`).mode, 0o755);
  t.equal(firstLine(items), '#!/usr/bin/node');
  t.notOk(paths.has(`${HOME}/node`));
});

t.test('of a module what runs is installed, with its licence', async (t) => {
  const kept = ['index.js', 'dist/doc/Document.js', 'package.json', 'LICENSE.txt', 'a/x.node'];
  const left = [
    'README.md',
    'index.d.ts',
    'dist/a.js.map',
    'test/a.js',
    '.github/a.yml',
    'src/a.ts',
  ];
  t.same(kept.filter(isInstalled), kept);
  t.same([...left, 'musl_x64/x.node', '.npmignore'].filter(isInstalled), []);
  const lock = { '': {}, 'node_modules/a': {}, 'node_modules/b': { dev: true } };
  t.same(productionModules(lock), ['node_modules/a']);
});

t.test('dpkg knows what the package needs, and when it was made', async (t) => {
  const facts = {
    version: '1.2.3',
    machine: 'amd64',
    installedBytes: 2049,
    maintainer: 'A B <a@example.org>',
    builtSeconds: 86_400,
  };
  const whole = controlText({ ...facts, runtime: 'bundled' });
  t.match(whole, /^Package: sluice\nVersion: 1\.2\.3\nArchitecture: amd64\n/);
  t.match(whole, /^Installed-Size: 3$/m);
  t.notMatch(whole, /nodejs/);
  t.match(controlText({ ...facts, runtime: 'of Debian' }), /^Depends: .*nodejs \(>= 20\.12\)/m);
  t.match(changelogText(facts), / -- A B <a@example\.org> {2}Fri, 02 Jan 1970 00:00:00 \+0000\n$/);
});

function found(among: readonly Item[], path: string): Item {
  const item = among.find(({ to }) => to === path);
  if (item === undefined) throw new Error(`${path} is not installed`);
  return item;
}

function firstLine(among: readonly Item[]): string {
  const { content } = found(among, `${HOME}/bin/sluice`);
  return content.kind === 'bytes' ? (String(content.bytes).split('\n')[0] ?? '') : '';
}
