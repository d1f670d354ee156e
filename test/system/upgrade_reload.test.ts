/** Reloads beside upgrades, and reloads that upgrade (`reload_upgrades`). */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { BINARY } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { finishStreams, VerifiedStream } from '../support/load/verified_stream.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Flaw, flawedBy } from '../support/upgrades.js';

/** An installation of this program, of which a file can be replaced. */
function install(t: Test) {
  const [folder, from] = [tempFolder(t), dirname(dirname(BINARY))];
  mkdirSync(join(folder, 'bin'));
  for (const file of ['bin/sluice', 'bin/package.json', 'package.json']) {
    copyFileSync(join(from, file), join(folder, file));
  }
  for (const part of ['dist', 'node_modules']) symlinkSync(join(from, part), join(folder, part));
  const replace = () => copyFileSync(join(from, 'package.json'), join(folder, 'package.json'));
  return { binary: join(folder, 'bin/sluice'), replace };
}

async function start(t: Test) {
  const [echoes, ports] = await Promise.all([
    startEchoes(t, 1),
    Promise.all([freePort(), freePort()]),
  ]);
  const tomlAt = (port: number) =>
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
    poolText({ name: 'echo', backends: echoes });
  const { binary, replace } = install(t);
  const flaw = join(tempFolder(t), 'flaw');
  const operated = await startOperated(t, {
    toml: tomlAt(ports[0]),
    daemonLines: 'reload_upgrades = true',
    binary,
    preload: flawedBy(flaw),
  });
  await operated.daemon.backendsUp('echo', 1);
  const stream = (port: number) => VerifiedStream.open({ port }, port, 20);
  const setFlaw = (how: Flaw) => writeFileSync(flaw, how);
  return { ...operated, ports, tomlAt, stream, replace, flaw: setFlaw };
}

t.test('with `reload_upgrades` a signal starts the program that was installed', async (t) => {
  const { daemon, ports, tomlAt, stream, replace } = await start(t);
  const long = await stream(ports[0]);
  t.equal((await daemon.reload(tomlAt(ports[0]))).event, 'reloaded');
  t.equal(daemon.eventsNamed('upgrading').length, 0, 'it is the one that runs');
  replace();
  daemon.write(tomlAt(ports[1]));
  daemon.signal('SIGHUP');
  t.match(await daemon.event('upgraded'), { sessions: 1 });
  const young = await stream(ports[1]);
  t.same(await finishStreams([long, young]), [], 'the file is read, and no session is cut');
  t.equal(daemon.eventsNamed('reloaded').length, 1);
});

t.test(
  'a file that is wrong is refused, and the old process serves on with the old one',
  async (t) => {
    const { daemon, ports, tomlAt, stream, replace } = await start(t);
    replace();
    const told = await daemon.reload(`${tomlAt(ports[1])}\nwrong = 1\n`);
    t.match(told, { event: 'reload-failed', problems: [/wrong/] });
    t.match(daemon.eventsNamed('upgrade-failed'), [{ problems: [/wrong/] }]);
    t.same(await finishStreams([await stream(ports[0])]), []);
  },
);

t.test('where a new process cannot serve, the old one takes the file', async (t) => {
  const { daemon, ports, tomlAt, stream, replace, flaw } = await start(t);
  replace();
  flaw('ends');
  t.equal((await daemon.reload(tomlAt(ports[1]))).event, 'reloaded');
  t.match(daemon.eventsNamed('upgrade-failed'), [{ problems: [/ended with code 7/] }]);
  t.same(await finishStreams([await stream(ports[1])]), []);
});

t.test('a reload beside an upgrade is one of the process that serves then', async (t) => {
  const { daemon, ctl, ports, tomlAt, stream, flaw } = await start(t);
  flaw('waits');
  const upgrade = ctl('upgrade');
  await daemon.event('upgrading');
  daemon.signal('SIGHUP');
  await daemon.event('reloading');
  const asked = ctl('reload');
  daemon.write(tomlAt(ports[1]));
  flaw('');
  t.equal((await upgrade).code, 0);
  t.match(await asked, { code: 0, stderr: '' }, 'asked again by itself');
  await daemon.event('reloaded');
  t.same(await finishStreams([await stream(ports[1])]), []);
});
