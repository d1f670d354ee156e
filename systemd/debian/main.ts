/**
 * `npm run package`: a Debian package from this checkout, installed and built. It brings a Node.js
 * in support; `--slim` depends on Debian's `nodejs` instead. The time in it is SOURCE_DATE_EPOCH,
 * or that of the last commit, so that the same tree makes the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { changelogText } from './control.js';
import { fetchRuntime, MACHINES } from './runtime.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { values } = parseArgs({
  options: {
    slim: { type: 'boolean', default: false },
    /** The folder where the package is written. */
    to: { type: 'string', default: join(root, 'dist/package') },
    /** In place of that in package.json. */
    version: { type: 'string' },
  },
});

process.umask(0o022);
const machine = MACHINES[process.arch]?.debian;
if (machine === undefined) throw new Error(`no package is made for ${process.arch}`);
const base = values.version ?? JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const facts = {
  version: values.slim ? `${base}+slim` : base,
  machine,
  runtime: values.slim ? 'of Debian' : 'bundled',
  maintainer: maintainer(),
  builtSeconds: builtSeconds(),
} as const;
const work = mkdtempSync(join(tmpdir(), 'sluice-package-'));
try {
  mkdirSync(values.to, { recursive: true });
  const file = resolve(values.to, `sluice_${facts.version}_${machine}.deb`);
  const runtime = values.slim ? null : fetchRuntime(process.arch, join(work, 'runtime'));
  const sources = { root, runtime, changelog: changelogText(facts), completion };
  build(sources, facts, join(work, 'root'), file);
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(work, { recursive: true });
}

/** By Debian's variables for it. */
function maintainer(): string {
  const { DEBFULLNAME = 'sluice maintainers', DEBEMAIL = 'maintainers@example.org' } = process.env;
  return `${DEBFULLNAME} <${DEBEMAIL}>`;
}

function builtSeconds(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined) return Number(given);
  const git = ['-C', root, 'log', '-1', '--format=%ct'];
  return Number(execFileSync('git', git, { encoding: 'utf8' }));
}

function completion(shell: string): string {
  const program = [join(root, 'bin/sluice'), 'completion', shell];
  return execFileSync(process.execPath, program, { encoding: 'utf8' });
}
