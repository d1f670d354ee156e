import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { tempFolder } from '../../support/places.js';
import { mustRun } from '../../support/process.js';
import { repositoryRoot } from '../../support/repository.js';
import { available, findProgram, program } from '../../support/require_server.js';

/** Packing is work for the processor, and others work too. */
const BUILD_MS = 120_000;

t.setTimeout(300_000);

t.test('the slim package is the same for the same tree, and runs where it is put', async (t) => {
  const tools = ['dpkg-deb', 'strip'].map(
    (name) => [`${name} is not installed`, findProgram(name) !== null] as const,
  );
  if (!available(t, tools)) return;
  const [first, second] = await Promise.all([slim(t), slim(t)]);
  t.equal(digest(first), digest(second), 'two builds have the same bytes');

  const field = async (name: string): Promise<string> =>
    (await mustRun(program('dpkg-deb'), ['--field', first, name])).trim();
  t.equal(await field('Package'), 'sluice');
  t.match(await field('Version'), /^\d+\.\d+\.\d+\+slim$/);
  t.match(await field('Depends'), 'nodejs (>= 20.12)');
  const list = await mustRun(program('dpkg-deb'), ['--contents', first]);
  t.match(list, /^-rw-r----- root\/root .* \.\/etc\/sluice\/sluice\.toml$/m);
  t.match(list, /\.\/usr\/bin\/sluice -> \.\.\/lib\/sluice\/bin\/sluice$/m);
  const owners = list
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/)[1]);
  t.same(new Set(owners), new Set(['root/root']));

  const root = join(tempFolder(t), 'root');
  await mustRun(program('dpkg-deb'), ['--extract', first, root]);
  const sluice = join(root, 'usr/bin/sluice');
  t.match(await mustRun(process.execPath, [sluice, '--version']), /^\d+\.\d+\.\d+$/);
  t.match(await mustRun(process.execPath, [sluice, 'doctor']), 'io_uring', 'modules are there');
  const sample = join(root, 'sample.toml');
  // The folder of its socket is made by the installation.
  const text = readFileSync(join(root, 'etc/sluice/sluice.toml'), 'utf8');
  writeFileSync(sample, text.replace('/var/lib/sluice', root));
  await mustRun(process.execPath, [sluice, 'check', '-c', sample]);
  t.ok(existsSync(join(root, 'usr/share/doc/sluice/copyright')));
});

/** As long after 1970 as any build; the path is of the package. */
async function slim(t: Test): Promise<string> {
  const folder = tempFolder(t);
  const main = join(repositoryRoot, 'dist/systemd/debian/main.js');
  await mustRun(process.execPath, [main, '--slim', '--to', folder], {
    env: { SOURCE_DATE_EPOCH: '1700000000' },
    limitMs: BUILD_MS,
  });
  const [file = ''] = readdirSync(folder);
  return join(folder, file);
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
