/**
 * A freshly installed Debian 12, and the package of this tree. SLUICE_DEBIAN and SLUICE_PACKAGE are
 * folders where .ci/run makes both: they are there when they are complete.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from './deadline.js';
import { nspawnMissing } from './nspawn.js';
import { tempFolder } from './places.js';
import { mustRun } from './process.js';
import { repositoryRoot } from './repository.js';
import { available, findProgram, program } from './require_server.js';

/** A mirror may be slow, and the machine busy. */
const DOWNLOAD_MS = 240_000;
/** Some hundred megabytes are copied. */
const COPY_MS = 120_000;
const MIRROR = 'http://deb.debian.org/debian';

/** Whether one can be booted here; if not the test is skipped, and says why. */
export function debianAvailable(t: Test): boolean {
  const missing = nspawnMissing();
  const tools = ['debootstrap', 'dpkg-deb', 'strip'].map(
    (name) => [`${name} is not installed`, findProgram(name) !== null] as const,
  );
  return available(t, [[missing ?? '', missing === null], ...tools]);
}

/** Its root; nothing can be downloaded there: all that is installed comes from a file. */
export async function freshDebian(t: Test): Promise<string> {
  const root = join(tempFolder(t), 'root');
  const ready = await madeForAll('SLUICE_DEBIAN');
  if (ready !== null) await mustRun('cp', ['-a', ready, root], { limitMs: COPY_MS });
  else {
    const packages = '--include=systemd,systemd-sysv,dbus';
    const args = ['--variant=minbase', packages, 'bookworm', root, MIRROR];
    await mustRun(program('debootstrap'), args, { limitMs: DOWNLOAD_MS });
  }
  writeFileSync(join(root, 'etc/apt/sources.list'), '');
  // Each file would be forced to the disk.
  writeFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/quick'), 'force-unsafe-io\n');
  return root;
}

/** The folder that the variable names, when it is there; null where none is made. */
async function madeForAll(variable: string): Promise<string | null> {
  const folder = process.env[variable];
  if (folder === undefined) return null;
  await eventually(folder, () => (existsSync(folder) ? true : undefined), DOWNLOAD_MS);
  return folder;
}

/** The guide's block of that name. */
export function block(name: string): string {
  const guide = readFileSync(join(repositoryRoot, 'systemd/README.md'), 'utf8');
  const found = new RegExp(`^\`\`\`sh ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide)?.[1];
  if (found === undefined) throw new Error(`systemd/README.md has no block ${name}`);
  return found;
}

/** By the guide's block `build`, where it is not there yet. */
export async function builtPackage(t: Test): Promise<string> {
  const made = await madeForAll('SLUICE_PACKAGE');
  const folder = made ?? tempFolder(t);
  if (made === null) {
    const script = block('build').replaceAll('/tmp', folder);
    await mustRun('sh', ['-euc', script], { cwd: repositoryRoot, limitMs: DOWNLOAD_MS });
  }
  const name = readdirSync(folder).find((name) => /^sluice_.*\.deb$/.test(name));
  if (name === undefined) throw new Error(`no package in ${folder}`);
  return join(folder, name);
}

/** What is in a package, to be changed and packed again. */
export class PackageTree {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async of(t: Test, file: string): Promise<PackageTree> {
    const root = join(tempFolder(t), 'tree');
    await mkdir(root);
    await mustRun(program('dpkg-deb'), ['--raw-extract', file, root], {
      limitMs: COPY_MS,
    });
    return new PackageTree(root);
  }

  /** Changes the text of a file, by its path in the package. */
  edit(path: string, from: string | RegExp, to: string): void {
    const file = join(this.root, path);
    const before = readFileSync(file, 'utf8');
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${path} has no ${from}`);
    writeFileSync(file, after);
  }

  /** The package by another version; uncompressed, which is quick. */
  async pack(version: string): Promise<string> {
    this.edit('DEBIAN/control', /^Version: .*$/m, `Version: ${version}`);
    const file = join(this.root, `../sluice_${version}_next.deb`);
    const args = ['--root-owner-group', '-Znone', '--build', this.root, file];
    await mustRun(program('dpkg-deb'), args, { limitMs: COPY_MS });
    return file;
  }
}
