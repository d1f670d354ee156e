/**
 * The package's next versions in a booted Debian 12 under load, on port 443 of a socket unit and
 * without any capability: which process systemd takes for the service, and that no client is
 * refused.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually, pass } from '../../support/deadline.js';
import {
  block,
  builtPackage,
  debianAvailable,
  freshDebian,
  PackageTree,
} from '../../support/fresh_debian.js';
import { startEchoes } from '../../support/load/echo_backend.js';
import { exchangeOnce, tally } from '../../support/load/short_connections.js';
import { underLoad } from '../../support/load/under_load.js';
import { finishStreams, openStreams } from '../../support/load/verified_stream.js';
import { bootFolder, type Container } from '../../support/nspawn.js';
import { inOwnNetwork } from '../../support/own_network.js';
import { poolText } from '../../support/settings.js';

const LONG = 20;
const BLOCK_EVERY_MS = 100;
/** Longer than any pause of a busy machine, short enough to wait for it twice. */
const WATCHDOG_SECONDS = 6;
/** On a machine with much else to do. */
const RESTART_MS = 60_000;
const WEB = { port: 443, host: '127.0.0.1' };

const LISTENER = `[daemon]
shutdown_timeout = "2s"
[listeners.web]
bind = ["0.0.0.0:443", "[::]:443"]
activation = "web"
pool = "web"
`;

/** Files of the package that next versions have otherwise. */
const PROGRAM = {
  about: 'usr/lib/sluice/package.json',
  serves: 'usr/lib/sluice/dist/src/control/serve.js',
  memory: 'usr/lib/sluice/dist/src/pool/backend_row.js',
} as const;

/** What is only for this test, and what the guide says of sockets: no capability is needed. */
const OVERRIDE = `[Service]
WatchdogSec=${WATCHDOG_SECONDS}s
NotifyAccess=main
CapabilityBoundingSet=
AmbientCapabilities=
`;

/** Some 45 s by itself: packages are installed, and a watchdog is waited for. */
t.setTimeout(170_000);
if (inOwnNetwork(import.meta.url)) {
  t.test('a package is replaced under load, at sockets of systemd', upgradesPackages);
}

async function upgradesPackages(t: Test): Promise<void> {
  if (!debianAvailable(t)) return;
  const { container, root, tree } = await installedService(t);
  const install = async (version: string) => {
    tree.edit(PROGRAM.about, /"version": ".*"/, `"version": "${version}"`);
    await cp(await tree.pack(version), join(root, 'srv/next.deb'));
    const done = await container.run('dpkg', '-i', '/srv/next.deb');
    t.equal(done.code, 0, `${version}: ${done.stderr}`);
    return done;
  };
  const runs = async (pid: string): Promise<boolean> =>
    (await container.run('test', '-d', `/proc/${pid}`)).code === 0;
  /** systemd gives up after five starts in ten seconds. */
  const anew = (): Promise<string> => container.must('systemctl', 'reset-failed', 'sluice');

  await t.test('systemd binds port 443, and the service has no capability', async (t) => {
    await container.must('/bin/sh', '-euc', block('sockets'));
    t.equal(await exchangeOnce(WEB), null);
    t.equal(await exchangeOnce({ ...WEB, host: '::1' }), null);
    const status = await container.must('cat', `/proc/${await mainPid(container)}/status`);
    t.match(status, /^CapEff:\s+0+$/m);
    t.match(status, /^CapBnd:\s+0+$/m);
  });

  await t.test('a restart refuses no client', async (t) => {
    const before = await mainPid(container);
    await anew();
    const { done, failures } = await underLoad(WEB, () =>
      container.must('systemctl', 'restart', 'sluice'),
    );
    t.same(tally(failures), {}, `${done} new connections`);
    t.not(await mainPid(container), before);
  });

  await t.test('a next version that cannot start leaves the one before', async (t) => {
    const before = await mainPid(container);
    const long = await openStreams(WEB, LONG, BLOCK_EVERY_MS);
    tree.edit(PROGRAM.serves, 'holdProcess();', 'process.exit(7);');
    const { done, failures, result } = await underLoad(WEB, () => install('99.1.0'));
    tree.edit(PROGRAM.serves, 'process.exit(7);', 'holdProcess();');
    t.match(result.stderr, /it ended with code 7/);
    t.match(result.stderr, /the one before serves on/);
    t.same(tally(failures), {}, `${done} new connections`);
    t.same(await finishStreams(long), []);
    t.equal(await mainPid(container), before);
  });

  await t.test('a next version with other shared memory takes over', async (t) => {
    const before = await mainPid(container);
    const long = await openStreams(WEB, LONG, BLOCK_EVERY_MS);
    tree.edit(PROGRAM.memory, 'ROW = 16;', 'ROW = 32;');
    const { done, failures, result } = await underLoad(WEB, () => install('99.2.0'));
    t.same(tally(failures), {}, `${done} new connections`);
    const pid = await mainPid(container);
    t.not(pid, before);
    t.match(result.stdout, `sluice 99.2.0 serves as process ${pid};`);
    t.match(await container.must('systemctl', 'status', 'sluice'), `Main PID: ${pid} `);
    t.match(await container.must('sluice', 'ctl', 'status'), /^engine uring,/m);
    // NotifyAccess=main: what the old process might say does not count.
    const fed = await container.property('sluice', 'WatchdogTimestampMonotonic');
    await pass(1.5 * WATCHDOG_SECONDS * 1000);
    const later = Number(await container.property('sluice', 'WatchdogTimestampMonotonic'));
    t.ok(later > Number(fed) + (WATCHDOG_SECONDS * 1e6) / 2, 'the watchdog is fed by the new one');
    t.equal(await mainPid(container), pid);
    t.equal(await container.property('sluice', 'NRestarts'), '0');
    t.ok(await runs(before), 'the old process still has sessions');
    t.same(await finishStreams(long), [], 'and cuts none');
    await eventually('it leaves', async () => ((await runs(before)) ? undefined : true));
  });

  await t.test('a kill of the new process while the old one leaves refuses none', async (t) => {
    const old = await mainPid(container);
    const long = await openStreams(WEB, LONG, BLOCK_EVERY_MS);
    await container.must('sluice', 'ctl', 'upgrade');
    const killed = await mainPid(container);
    t.not(killed, old);
    await anew();
    const { done, refused } = await underLoad(WEB, async () => {
      await container.must('/bin/sh', '-c', `kill -KILL ${killed}`);
      await eventually(
        'it runs again',
        async () => {
          if ((await container.property('sluice', 'SubState')) !== 'running') return undefined;
          return (await container.property('sluice', 'MainPID')) === killed ? undefined : true;
        },
        RESTART_MS,
      );
    });
    t.same(tally(refused), {}, `${done} new connections`);
    t.notOk(await runs(old), 'systemd has ended the old process too');
    const told = await container.must('journalctl', '-u', 'sluice', '-o', 'cat');
    t.match(told, 'Main process exited, code=killed', 'systemd learns of the end at once');
    t.notMatch(told, /watchdog timeout/i);
    t.equal((await finishStreams(long)).length, LONG);
    t.equal(await exchangeOnce(WEB), null);
  });

  await t.test('a stop ends both processes, and the next client starts sluice', async (t) => {
    const old = await mainPid(container);
    const long = await openStreams(WEB, LONG, BLOCK_EVERY_MS);
    await container.must('sluice', 'ctl', 'upgrade');
    const both = [old, await mainPid(container)];
    t.same(await Promise.all(both.map(runs)), [true, true]);
    await anew();
    await container.must('systemctl', 'stop', 'sluice');
    t.same(await Promise.all(both.map(runs)), [false, false]);
    t.equal(await container.property('sluice', 'Result'), 'success');
    t.equal((await finishStreams(long)).length, LONG);
    t.equal(await exchangeOnce(WEB), null);
  });
}

/** A booted Debian with the package, and a file for the sockets of its socket unit. */
async function installedService(t: Test) {
  const [root, first] = await Promise.all([freshDebian(t), builtPackage(t)]);
  const tree = await PackageTree.of(t, first);
  const backends = await startEchoes(t, 2);
  const container = await bootFolder(t, root);
  await cp(first, join(root, 'srv/first.deb'));
  await container.must('dpkg', '-i', '/srv/first.deb');
  const override = join(root, 'etc/systemd/system/sluice.service.d');
  mkdirSync(override);
  writeFileSync(join(override, 'test.conf'), OVERRIDE);
  const toml = LISTENER + poolText({ name: 'web', policy: 'least-connections', backends });
  writeFileSync(join(root, 'etc/sluice/sluice.toml'), toml);
  return { container, root, tree };
}

async function mainPid(container: Container): Promise<string> {
  const pid = await container.property('sluice', 'MainPID');
  if (!(Number(pid) > 1)) throw new Error(`no daemon runs: MainPID is ${pid}`);
  return pid;
}
