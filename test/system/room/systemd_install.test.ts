/** systemd/README.md, word by word, in a freshly installed Debian 12: from nothing to nothing. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../../support/deadline.js';
import { startEchoes } from '../../support/load/echo_backend.js';
import { exchangeOnce } from '../../support/load/short_connections.js';
import { bootFolder, type Container, nspawnMissing } from '../../support/nspawn.js';
import { freePort, tempFolder } from '../../support/places.js';
import { mustRun } from '../../support/process.js';
import { repositoryRoot } from '../../support/repository.js';
import { available, findProgram, program } from '../../support/require_server.js';
import { listenerText, poolText } from '../../support/settings.js';

/** A mirror may be slow, and the machine busy. */
const DOWNLOAD_MS = 240_000;
const MIRROR = 'http://deb.debian.org/debian';

t.setTimeout(600_000);

t.test('the guide leads from a fresh Debian 12 to a service, and away from it', async (t) => {
  const missing = nspawnMissing();
  const canInstall = findProgram('debootstrap') !== null;
  const facts = [
    [missing ?? '', missing === null],
    ['debootstrap is not installed', canInstall],
  ] as const;
  if (!available(t, facts)) return;
  const root = join(tempFolder(t), 'root');
  const [archive] = await Promise.all([build(t), freshDebian(root)]);
  for (const name of ['sluice.tar.gz', 'node']) {
    cpSync(join(archive, name), join(root, 'root', name));
  }
  const container = await bootFolder(t, root);
  const follow = (name: string): Promise<string> =>
    container.must('/bin/sh', '-euc', `cd /root\n${block(name)}`);
  const port = await freePort();
  const backends = await startEchoes(t, 1);
  const serves = (): Promise<true> =>
    eventually('it serves', async () =>
      (await exchangeOnce({ port }, 1_000)) === null ? true : undefined,
    );

  await follow('install');
  writeFileSync(
    join(root, 'etc/sluice/sluice.toml'),
    `[admin]\nhttp = ""\nsocket = ""\n${listenerText({
      pool: 'echo',
      bind: `0.0.0.0:${port}`,
    })}${poolText({ name: 'echo', backends })}`,
  );
  t.match(await follow('start'), 'active (running)');
  await serves();
  await follow('reload');
  // The reload was asked for by a signal, and is done a moment later.
  await eventually('the reload', async () =>
    (await container.must('journalctl', '-u', 'sluice', '-o', 'cat')).includes('"event":"reloaded"')
      ? true
      : undefined,
  );
  await follow('upgrade');
  t.equal(await active(container), 'active');
  await serves();
  await follow('rollback');
  t.equal(await active(container), 'active');
  await serves();
  await follow('remove');
  t.not(await active(container), 'active');
  for (const place of ['opt/sluice', 'etc/sluice', 'etc/systemd/system/sluice.service']) {
    t.notOk(existsSync(join(root, place)), `${place} is gone`);
  }
});

async function active(container: Container): Promise<string> {
  return (await container.run('systemctl', 'is-active', 'sluice')).stdout.trim();
}

/** The guide's block of that name. */
function block(name: string): string {
  const guide = readFileSync(join(repositoryRoot, 'systemd/README.md'), 'utf8');
  const found = new RegExp(`^\`\`\`sh ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide)?.[1];
  if (found === undefined) throw new Error(`systemd/README.md has no block ${name}`);
  return found;
}

/** Runs the block `build` in a checkout; the folder where it leaves its two files. */
async function build(t: Test): Promise<string> {
  const folder = tempFolder(t);
  const checkout = join(folder, 'checkout');
  const listed = await mustRun('git', [
    '-C',
    repositoryRoot,
    'ls-files',
    '-co',
    '--exclude-standard',
  ]);
  for (const path of listed.split('\n').filter((path) => existsSync(join(repositoryRoot, path)))) {
    cpSync(join(repositoryRoot, path), join(checkout, path));
  }
  const script = block('build').replaceAll('/tmp/', `${folder}/`);
  await mustRun('sh', ['-euc', script], { cwd: checkout, limitMs: DOWNLOAD_MS });
  return folder;
}

/** SLUICE_DEBIAN: a folder where .ci/run has installed one already. */
async function freshDebian(root: string): Promise<void> {
  const ready = process.env['SLUICE_DEBIAN'];
  if (ready !== undefined) return void (await mustRun('cp', ['-a', ready, root]));
  const packages = '--include=systemd,systemd-sysv,dbus';
  const args = ['--variant=minbase', packages, 'bookworm', root, MIRROR];
  await mustRun(program('debootstrap'), args, { limitMs: DOWNLOAD_MS });
}
