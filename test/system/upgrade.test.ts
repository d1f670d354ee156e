/** `sluice ctl upgrade`: another process takes over, and no client is refused or cut off. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { atRate, eventually } from '../support/deadline.js';
import { DatagramLedger, startUdpEchoes, udpClients } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { shortConnections, tally } from '../support/load/short_connections.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort, tempFolder } from '../support/places.js';
import { mustRun } from '../support/process.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Flaw, flawedBy, type Upgraded } from '../support/upgrades.js';

const LONG = 20;
const SHORT_PER_SECOND = 200;
const LOAD_MS = 3_000;
const FLOWS = 10;
const DATAGRAMS_PER_SECOND = 500;

async function start(t: Test) {
  const echoes = await startEchoes(t, 2);
  const udp = await startUdpEchoes(t, 1, 'tagged');
  const port = await freePort();
  const folder = tempFolder(t);
  const [path, flaw] = [join(folder, 'echo.sock'), join(folder, 'flaw')];
  const toml =
    listenerText({ pool: 'echo', bind: `0.0.0.0:${port}` }) +
    listenerText({ name: 'local', pool: 'echo', bind: `unix:${path}` }) +
    poolText({ name: 'echo', policy: 'least-connections', backends: echoes }) +
    listenerText({ protocol: 'udp', pool: 'dns', bind: `0.0.0.0:${port}` }) +
    poolText({ name: 'dns', backends: udp, health: 'probe = "none"' });
  const operated = await startOperated(t, { toml, workers: 2, preload: flawedBy(flaw) });
  await operated.daemon.backendsUp('echo', 2);
  return { ...operated, toml, port, path, flaw: (how: Flaw) => writeFileSync(flaw, how) };
}

t.test('an upgrade refuses and cuts off no client, and loses no datagram', async (t) => {
  const { daemon, ask, port, path } = await start(t);
  const long = await openStreams({ port }, LONG, 20);
  const clients = await udpClients(t, { port }, FLOWS);
  const ledgers = await Promise.all(clients.map(DatagramLedger.open));
  const shorts = [{ port }, { port: 0, path }].map((at) =>
    shortConnections(at, SHORT_PER_SECOND, LOAD_MS),
  );
  const sending = atRate(DATAGRAMS_PER_SECOND, LOAD_MS, (index) => ledgers[index % FLOWS]?.send());
  const done = await ask<Upgraded>('upgrade');
  t.not(done.pid, daemon.pid);
  const { pid } = await ask<{ readonly pid: number }>('status');
  t.equal(pid, done.pid, 'commands reach the new process');
  for (const { failures } of await Promise.all(shorts)) t.same(tally(failures), {});
  await sending;
  for (const ledger of ledgers) await ledger.settled();
  t.same(
    ledgers.flatMap(({ wrong }) => wrong),
    [],
    'each datagram is answered',
  );
  const left = daemon.event('left');
  t.same(await finishStreams(long), [], 'no long connection loses a byte');
  t.match(await left, { pid: daemon.pid, sessions: 0 });
  for (const at of [{ port }, { port: 0, path }]) {
    const { failures } = await shortConnections(at, 20, 200);
    t.same(tally(failures), {}, 'the end of the old process takes nothing away');
  }
});

t.test('a failed upgrade changes nothing, however it fails', async (t) => {
  const { daemon, ctl, port, flaw, toml } = await start(t);
  const long = await openStreams({ port }, LONG, 20);
  const shorts = shortConnections({ port }, SHORT_PER_SECOND, 2 * LOAD_MS);
  const fails = async (why: RegExp, ...words: readonly string[]) => {
    const { code, stderr } = await ctl('upgrade', ...words);
    t.equal(code, 1);
    t.match(stderr, why);
  };
  flaw('ends');
  await fails(/it ended with code 7; .*standard error/);
  flaw('hangs');
  await fails(/it was not ready in 500 ms/, '--timeout', '500ms');
  flaw('ends late');
  await fails(/it was ended by SIGKILL/);
  flaw('');
  daemon.write('[listeners.echo]\nport = 1\n');
  await fails(/unknown key/);
  daemon.write(toml);
  const told = (): number => daemon.eventsNamed('upgrade-failed').length;
  await eventually('the last one is reported', () => (told() < 4 ? undefined : true));
  t.equal(told(), 4);
  t.same(tally((await shorts).failures), {}, 'no short connection is refused, reset or changed');
  t.same(await finishStreams(long), [], 'no long connection loses a byte');
});

t.test(
  'where no descriptor is left for it, an upgrade is refused, and sluice serves on',
  async (t) => {
    const { daemon, ctl, port } = await start(t);
    const soft = (limit: number) =>
      mustRun('prlimit', [`--pid=${daemon.pid}`, `--nofile=${limit}:`]);
    // The command takes one itself.
    await soft(limitThatLeaves(1, daemon.pid));
    const { code, stderr } = await ctl('upgrade');
    t.equal(code, 1);
    t.match(stderr, /it cannot be started: .*EMFILE/);
    await soft(1_000);
    t.equal((await ctl('status')).code, 0);
    const { failures } = await shortConnections({ port }, SHORT_PER_SECOND, 100);
    t.same(tally(failures), {});
  },
);

/** The limit of open files at which `pid` may open this many more. */
function limitThatLeaves(free: number, pid: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  for (let left = free; left > 0 || open.has(limit); limit++) if (!open.has(limit)) left--;
  return limit;
}
