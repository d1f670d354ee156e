/** Lays the package out in a folder and has dpkg-deb pack it: the same bytes for the same tree. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CONFFILES, contents, type Item, type Sources } from './contents.js';
import { controlText, type Facts } from './control.js';

const SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** Builds in `folder`, which must be empty, and writes the package to `file`. */
export function build(
  sources: Sources,
  facts: Omit<Facts, 'installedBytes'>,
  folder: string,
  file: string,
): void {
  const items = contents(sources);
  for (const item of items) place(item, folder);
  strip(items, folder);
  const files = items.filter(({ content }) => content.kind !== 'link').map(({ to }) => to);
  const installedBytes = files.reduce((sum, to) => sum + statSync(join(folder, to)).size, 0);
  const control: Readonly<Record<string, string>> = {
    control: controlText({ ...facts, installedBytes }),
    conffiles: CONFFILES.map((path) => `/${path}\n`).join(''),
    md5sums: files
      .filter((to) => !CONFFILES.includes(to))
      .sort()
      .map((to) => `${md5(join(folder, to))}  ${to}\n`)
      .join(''),
  };
  for (const [name, bytes] of Object.entries(control)) {
    place({ to: `DEBIAN/${name}`, mode: 0o644, content: { kind: 'bytes', bytes } }, folder);
  }
  for (const name of SCRIPTS) {
    const from = join(sources.root, 'systemd/debian', name);
    place({ to: `DEBIAN/${name}`, mode: 0o755, content: { kind: 'copy', from } }, folder);
  }
  date(folder, facts.builtSeconds);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', folder, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(facts.builtSeconds) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function place({ to, mode, content }: Item, folder: string): void {
  const path = join(folder, to);
  mkdirSync(dirname(path), { recursive: true });
  if (content.kind === 'link') return symlinkSync(content.target, path);
  if (content.kind === 'copy') copyFileSync(content.from, path);
  else writeFileSync(path, content.bytes);
  chmodSync(path, mode);
}

/** Symbols for a debugger are a seventh of Node.js. */
function strip(items: readonly Item[], folder: string): void {
  const machineCode = items.map(({ to }) => to).filter((to) => /(\/node|\.node)$/.test(to));
  execFileSync(
    'strip',
    machineCode.map((to) => join(folder, to)),
  );
}

function md5(path: string): string {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}

/** Gives everything the same time, folders last: what is made in one changes its own. */
function date(folder: string, seconds: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) date(path, seconds);
    else lutimesSync(path, seconds, seconds);
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, seconds, seconds);
}
