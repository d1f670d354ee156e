/** What the package installs: each path, where it comes from, and its mode. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesBelow, isInstalled, type Locked, productionModules } from './modules.js';
import type { Runtime } from './runtime.js';

export interface Item {
  /** Below the root of the system, without a slash in front. */
  readonly to: string;
  readonly mode: 0o644 | 0o755 | 0o640 | 0o777;
  readonly content:
    | { readonly kind: 'copy'; readonly from: string }
    | { readonly kind: 'bytes'; readonly bytes: string | Uint8Array }
    | { readonly kind: 'link'; readonly target: string };
}

export interface Sources {
  /** The checkout, installed and built. */
  readonly root: string;
  /** null: the package depends on Debian's `nodejs`. */
  readonly runtime: Runtime | null;
  /** Debian's own, which names the version. */
  readonly changelog: string;
  /** What `sluice completion SHELL` prints. */
  completion(shell: string): string;
}

const HOME = 'usr/lib/sluice';
const DOCUMENTS = 'usr/share/doc/sluice';
const MANUALS = ['man1/sluice.1', 'man1/sluice-ctl.1', 'man5/sluice.toml.5'];
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/sluice',
  zsh: 'usr/share/zsh/vendor-completions/_sluice',
  fish: 'usr/share/fish/vendor_completions.d/sluice.fish',
} as const;
/** What an operator may have changed: dpkg asks before it replaces one. */
export const CONFFILES = ['etc/sluice/sluice.toml'];

export function contents(sources: Sources): Item[] {
  return [
    ...program(sources),
    ...modules(sources),
    ...service(sources),
    ...documents(sources),
    ...Object.entries(COMPLETIONS).map(([shell, to]) => text(to, sources.completion(shell))),
  ];
}

function program({ root, runtime }: Sources): Item[] {
  const node = runtime === null ? 'usr/bin/node' : `${HOME}/node`;
  const main = readFileSync(join(root, 'bin/sluice'), 'utf8').replace(/^#!.*/, `#!/${node}`);
  const compiled = filesBelow(join(root, 'dist/src')).filter((path) => path.endsWith('.js'));
  return [
    { to: `${HOME}/bin/sluice`, mode: 0o755, content: { kind: 'bytes', bytes: main } },
    {
      to: 'usr/bin/sluice',
      mode: 0o777,
      content: { kind: 'link', target: '../lib/sluice/bin/sluice' },
    },
    copy(root, 'bin/package.json', `${HOME}/bin/package.json`),
    copy(root, 'package.json', `${HOME}/package.json`),
    ...compiled.map((path) => copy(root, `dist/src/${path}`, `${HOME}/dist/src/${path}`)),
    ...(runtime === null ? [] : bundled(root, runtime)),
  ];
}

function bundled(root: string, { program: from, licence }: Runtime): Item[] {
  return [
    { to: `${HOME}/node`, mode: 0o755, content: { kind: 'copy', from } },
    packed(`${DOCUMENTS}/node-licence.gz`, readFileSync(licence)),
    copy(root, 'systemd/debian/lintian-overrides', 'usr/share/lintian/overrides/sluice'),
  ];
}

function modules({ root }: Sources): Item[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  return productionModules(lock.packages).flatMap((module) =>
    filesBelow(join(root, module))
      .filter(isInstalled)
      // A module in a module has a line of its own in the lock.
      .filter((path) => !path.startsWith('node_modules/'))
      .map((path) => copy(root, `${module}/${path}`, `${HOME}/${module}/${path}`)),
  );
}

function service({ root }: Sources): Item[] {
  return [
    copy(root, 'systemd/sluice.service', 'lib/systemd/system/sluice.service'),
    copy(root, 'systemd/sluice.socket', 'usr/share/doc/sluice/examples/sluice.socket'),
    copy(root, 'systemd/sluice.sysusers', 'usr/lib/sysusers.d/sluice.conf'),
    copy(root, 'systemd/sluice.tmpfiles', 'usr/lib/tmpfiles.d/sluice.conf'),
    { ...copy(root, 'systemd/debian/sluice.toml', 'etc/sluice/sluice.toml'), mode: 0o640 },
  ];
}

function documents({ root, changelog }: Sources): Item[] {
  const read = (path: string): Uint8Array => readFileSync(join(root, path));
  // Those of one task each stand beside the others: there is no folder of examples in one.
  const examples = filesBelow(join(root, 'conf')).map((path) =>
    copy(root, `conf/${path}`, `${DOCUMENTS}/examples/${path.replace(/^examples\//, '')}`),
  );
  return [
    copy(root, 'systemd/debian/copyright', `${DOCUMENTS}/copyright`),
    packed(`${DOCUMENTS}/changelog.gz`, Buffer.from(changelog)),
    packed(`${DOCUMENTS}/CHANGELOG.md.gz`, read('CHANGELOG.md')),
    ...['operating', 'why', 'import'].map((name) =>
      packed(`${DOCUMENTS}/${name}.md.gz`, read(`docs/${name}.md`)),
    ),
    packed(`${DOCUMENTS}/systemd/README.md.gz`, read('systemd/README.md')),
    ...examples,
    ...MANUALS.map((path) =>
      packed(`usr/share/man/${path}.gz`, read(`docs/man/${path.replace(/^.*\//, '')}`)),
    ),
  ];
}

function copy(root: string, from: string, to: string): Item {
  return { to, mode: 0o644, content: { kind: 'copy', from: join(root, from) } };
}

function text(to: string, bytes: string): Item {
  return { to, mode: 0o644, content: { kind: 'bytes', bytes } };
}

/** Without a name or a time in its header, which would differ from build to build. */
function packed(to: string, bytes: Uint8Array): Item {
  return { to, mode: 0o644, content: { kind: 'bytes', bytes: gzipSync(bytes, { level: 9 }) } };
}
