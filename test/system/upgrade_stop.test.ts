/** A stop while two processes have sessions, and one while the second is started. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { finishStreams, VerifiedStream } from '../support/load/verified_stream.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Flaw, flawedBy, type Upgraded } from '../support/upgrades.js';

async function start(t: Test, shutdownTimeout: string) {
  const [echoes, port] = await Promise.all([startEchoes(t, 1), freePort()]);
  const toml =
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
    poolText({ name: 'echo', backends: echoes });
  const flaw = join(tempFolder(t), 'flaw');
  const operated = await startOperated(t, { toml, shutdownTimeout, preload: flawedBy(flaw) });
  await operated.daemon.backendsUp('echo', 1);
  const stream = (id: number) => VerifiedStream.open({ port }, id, 20);
  return { ...operated, stream, flaw: (how: Flaw) => writeFileSync(flaw, how) };
}

t.test('a stop of the new process reaches the old one: both let sessions finish', async (t) => {
  const { daemon, ask, stream } = await start(t, '60s');
  const old = await stream(1);
  const { pid } = await ask<Upgraded>('upgrade');
  const young = await stream(2);
  process.kill(pid, 'SIGTERM');
  const stopping = () => daemon.eventsNamed('stopping', ({ sessions }) => sessions === 1);
  await eventually('both stop', () => (stopping().length === 2 ? true : undefined));
  t.same(await finishStreams([young]), []);
  await daemon.event('stopped');
  t.equal(daemon.eventsNamed('left').length, 0, 'the old one still has a session');
  t.match(await ask('status'), { pid, phase: 'stopping' }, 'the new one waits for it');
  t.same(await finishStreams([old]), []);
  t.match(await daemon.event('left'), { pid: daemon.pid, sessions: 0 });
  await within('the end of both processes', daemon.exited);
});

t.test('what is left at `shutdown_timeout` is cut in both', async (t) => {
  const { daemon, ask, stream } = await start(t, '500ms');
  const all = [await stream(1)];
  const { pid } = await ask<Upgraded>('upgrade');
  all.push(await stream(2));
  process.kill(pid, 'SIGTERM');
  t.match(await daemon.event('left'), { sessions: 1 });
  t.match(await daemon.event('stopped'), { sessions: 1 });
  await within('the end of both processes', daemon.exited);
  t.equal((await finishStreams(all)).length, 2);
  t.equal(daemon.eventsNamed('end-forced').length, 0);
});

t.test('a stop of the old process ends its sessions, and no others', async (t) => {
  const { daemon, ask, stream } = await start(t, '500ms');
  const old = await stream(1);
  const { pid } = await ask<Upgraded>('upgrade');
  const young = await stream(2);
  daemon.signal('SIGTERM');
  t.match(await daemon.event('left'), { pid: daemon.pid, sessions: 1 });
  t.equal((await finishStreams([old])).length, 1);
  t.match(await ask('status'), { pid, phase: 'serving' });
  t.same(await finishStreams([young]), []);
  t.equal(daemon.eventsNamed('stopped').length, 0);
});

t.test('a stop outranks an upgrade, and the answer says so', async (t) => {
  const { daemon, ctl, stream, flaw } = await start(t, '60s');
  const long = await stream(1);
  flaw('hangs');
  const asked = ctl('upgrade');
  await daemon.event('upgrading');
  daemon.signal('SIGTERM');
  const { code, stderr } = await asked;
  t.equal(code, 1);
  t.match(stderr, /This process is stopping/);
  t.notMatch(stderr, /serves on/);
  await daemon.event('upgrade-overruled');
  t.equal(daemon.eventsNamed('upgrade-failed').length, 0);
  t.same(await finishStreams([long]), []);
  t.match(await daemon.event('stopped'), { sessions: 0 });
});

t.test('a new process that is ordered to stop before it serves leaves all as it was', async (t) => {
  const { daemon, ctl, ask, stream, flaw } = await start(t, '60s');
  const long = await stream(1);
  flaw('is stopped late');
  const { code, stderr } = await ctl('upgrade');
  t.equal(code, 1);
  t.match(stderr, /This process serves on.*it was ordered to stop/s);
  t.match(await ask('status'), { pid: daemon.pid, phase: 'serving' });
  t.same(await finishStreams([long, await stream(2)]), []);
});
