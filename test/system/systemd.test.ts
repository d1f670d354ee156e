/** The unit: systemd accepts it, rates its sandbox, and runs the daemon by it in a container. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BINARY } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce, tally } from '../support/load/short_connections.js';
import { underLoad } from '../support/load/under_load.js';
import { bootContainer, type Container, nspawnMissing } from '../support/nspawn.js';
import { freePort, tempFolder } from '../support/places.js';
import { mustRun } from '../support/process.js';
import { repositoryRoot } from '../support/repository.js';
import { available, haveServers, program } from '../support/require_server.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial } from '../support/wire.js';

t.test('systemd finds no fault in the unit and rates its exposure below 2.0', async (t) => {
  if (!haveServers(t, 'systemd-analyze')) return;
  const copy = join(tempFolder(t), 'sluice.service');
  writeFileSync(copy, unitFor(BINARY));
  t.equal(await mustRun(program('systemd-analyze'), ['verify', '--man=no', copy]), '');
  // The threshold is in tenths; a higher exposure is an exit code other than 0.
  const security = ['security', '--offline=true', '--threshold=20', '--no-pager', copy];
  t.match(await mustRun(program('systemd-analyze'), security), /exposure level/);
});

t.test('under systemd the daemon starts, reloads, is watched and stops', async (t) => {
  const missing = nspawnMissing();
  if (!available(t, [[missing ?? '', missing === null]])) return;
  const [first, second] = await startEchoes(t, 2);
  if (first === undefined || second === undefined) throw new Error('no backends');
  const service = await serviceInContainer(t, first);
  const { container, port, privileged } = service;

  t.test('start returns when it serves, as its own user, also on a port below 1024', async (t) => {
    await container.must('systemctl', 'start', 'sluice');
    t.equal(await container.property('sluice', 'SubState'), 'running');
    t.equal(await exchangeOnce({ port }), null);
    t.equal(await exchangeOnce({ port: privileged }), null);
    const pid = await container.property('sluice', 'MainPID');
    const user = await container.must('stat', '-c', '%U', `/proc/${pid}`);
    t.equal(user.trim(), 'sluice');
    t.equal(await container.property('sluice', 'StatusText'), 'serving 2 listeners');
  });

  t.test('reload of an invalid file fails with its problems and changes nothing', async (t) => {
    service.write(`${service.text([first])}\npolizy = 1\n`);
    const { code } = await container.run('systemctl', 'reload', 'sluice');
    t.not(code, 0);
    const journal = ['journalctl', '-u', 'sluice', '-o', 'cat'];
    t.match(await container.must(...journal), /:\d+:\d+: .*polizy/);
    t.equal(await exchangeOnce({ port }), null);
    // The unit has it checked first; a signal does not.
    await container.must('kill', '-HUP', await mainPid(container));
    await eventually('the status says so', async () => {
      const text = await container.property('sluice', 'StatusText');
      return /refused: .*polizy/.test(text) ? true : undefined;
    });
    const errors = await container.must(...journal, '-p', 'err');
    t.match(errors, '"event":"reload-failed"');
    t.notMatch(errors, '"level":"info"', 'each line has a priority of its own');
    t.equal(await exchangeOnce({ port }), null);
  });

  t.test('reload of a valid file takes effect and keeps sessions', async (t) => {
    const wire = await dial(t, { port });
    await wire.send('a');
    t.equal(await wire.readText(1), 'a');
    service.write(service.text([second]));
    await container.must('systemctl', 'reload', 'sluice');
    await eventually('the second backend serves', async () => {
      await exchangeOnce({ port });
      return second.served > 0 ? true : undefined;
    });
    await wire.send('b');
    t.equal(await wire.readText(1), 'b');
    wire.finish();
    await wire.closed;
    t.equal(await container.property('sluice', 'SubState'), 'running');
  });

  t.test('a daemon that does not answer is ended and started again', async (t) => {
    await container.must('kill', '-STOP', await mainPid(container));
    await eventually('a restart', async () => {
      const restarts = await container.property('sluice', 'NRestarts');
      return restarts === '1' ? true : undefined;
    });
    await eventually('it serves again', async () =>
      (await exchangeOnce({ port }, 1_000)) === null ? true : undefined,
    );
    t.match(await container.must('journalctl', '-u', 'sluice', '-o', 'cat'), /[Ww]atchdog timeout/);
  });

  for (const engine of ['auto', 'node']) {
    t.test(`a restart and a crash refuse no client (engine ${engine})`, async (t) => {
      service.write(`[daemon]\nengine = "${engine}"\n${service.text([second])}`);
      // systemd gives up after five starts in ten seconds.
      await container.must('systemctl', 'reset-failed', 'sluice');
      await container.must('systemctl', 'restart', 'sluice');
      const restarted = await underLoad({ port }, () =>
        container.must('systemctl', 'restart', 'sluice').then(() => true),
      );
      t.same(tally(restarted.failures), {}, `${restarted.done} connections`);
      await container.must('systemctl', 'reset-failed', 'sluice');
      const before = await mainPid(container);
      const crashed = await underLoad({ port }, async () => {
        await container.must('kill', '-KILL', before);
        await eventually('it runs again', async () => {
          if ((await container.property('sluice', 'SubState')) !== 'running') return undefined;
          return (await container.property('sluice', 'MainPID')) === before ? undefined : true;
        });
      });
      // What the process had accepted ends with it; a client that comes while there is none waits.
      t.same(tally(crashed.refused), {}, `${crashed.done} connections`);
      t.match(
        await container.must('journalctl', '-u', 'sluice', '-o', 'cat', '-n', '50'),
        '"event":"sockets-taken-back"',
      );
    });
  }

  t.test('stop lets an open session finish and counts as success', async (t) => {
    const wire = await dial(t, { port });
    await wire.send('c');
    t.equal(await wire.readText(1), 'c');
    const beganMs = nowMs();
    const stopped = container.must('systemctl', 'stop', 'sluice');
    await eventually('the stop has begun', async () =>
      (await container.property('sluice', 'SubState')) === 'stop-sigterm' ? true : undefined,
    );
    await wire.send('d');
    t.equal(await wire.readText(1), 'd');
    wire.finish();
    await stopped;
    t.ok(nowMs() - beganMs < 10_000);
    t.equal(await container.property('sluice', 'Result'), 'success');
    t.equal(await container.property('sluice', 'ActiveState'), 'inactive');
  });
});

/** The unit as the package has it, for a program at another place. */
function unitFor(program: string): string {
  const text = readFileSync(join(repositoryRoot, 'systemd/sluice.service'), 'utf8');
  return text.replaceAll('/usr/bin/sluice', program);
}

/** 0 (no daemon runs) would hit the runner of this test: kill(2) takes it for the process group. */
async function mainPid(container: Container): Promise<string> {
  const pid = await container.property('sluice', 'MainPID');
  if (!(Number(pid) > 1)) throw new Error(`no daemon runs: MainPID is ${pid}`);
  return pid;
}

interface ServiceInContainer {
  readonly container: Container;
  readonly port: number;
  readonly privileged: number;
  text(backends: readonly EchoBackend[]): string;
  write(toml: string): void;
}

/** A booted container with the unit, its user and its file in place. */
async function serviceInContainer(t: Test, backend: EchoBackend): Promise<ServiceInContainer> {
  const folder = tempFolder(t);
  const port = await freePort();
  // Below 1024, and no service of this machine stands there as a rule.
  const privileged = 800 + (process.pid % 80);
  const text = (backends: readonly EchoBackend[]): string =>
    listenerText({ name: 'high', pool: 'echo', bind: `127.0.0.1:${port}` }) +
    listenerText({ name: 'low', pool: 'echo', bind: `127.0.0.1:${privileged}` }) +
    poolText({ name: 'echo', backends });
  const file = join(folder, 'sluice.toml');
  const write = (toml: string): void => {
    writeFileSync(file, `[admin]\nhttp = ""\nsocket = ""\n${toml}`);
    chmodSync(file, 0o644);
  };
  write(text([backend]));
  const unit = join(folder, 'sluice.service');
  writeFileSync(unit, unitFor('/opt/sluice/bin/sluice'));
  const quickWatchdog = join(folder, 'watchdog.conf');
  writeFileSync(quickWatchdog, '[Service]\nWatchdogSec=3s\n');
  const container = await bootContainer(t, {
    [repositoryRoot]: '/opt/sluice',
    [folder]: '/etc/sluice',
    [unit]: '/etc/systemd/system/sluice.service',
    [quickWatchdog]: '/etc/systemd/system/sluice.service.d/watchdog.conf',
    [join(repositoryRoot, 'systemd/sluice.sysusers')]: '/etc/sysusers.d/sluice.conf',
  });
  return { container, port, privileged, text, write };
}
