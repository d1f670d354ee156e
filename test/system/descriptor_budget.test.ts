/** One budget of open files: however many clients come, what must go on goes on. */
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startUdpEchoes, type UdpClient, udpClients } from '../support/load/datagrams.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { MIB, payloadDigest, receiveDigest, sendPayload } from '../support/load/payload.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

const LISTENERS = ['a', 'b', 'c'] as const;
const BULK_BYTES = 2 * MIB;

for (const openFiles of [256, 1024]) {
  t.test(`${openFiles} open files: more clients take nothing from admin, probes and reload`, (t) =>
    crowded(t, openFiles),
  );
}

async function crowded(t: Test, openFiles: number): Promise<void> {
  const echoes = await startEchoes(t, 3);
  const [mortal, ...others] = echoes;
  const udpEchoes = await startUdpEchoes(t, 1);
  const pools =
    poolText({ name: 'echo', backends: others }) +
    poolText({ name: 'mortal', backends: mortal === undefined ? [] : [mortal] }) +
    poolText({ name: 'dns', backends: udpEchoes, health: 'probe = "none"' });
  const listeners =
    LISTENERS.map((name) => listenerText({ name, pool: 'echo' })).join('') +
    listenerText({ name: 'dns', pool: 'dns', protocol: 'udp' });
  const daemon = await startDaemon(t, { openFiles, access: 'errors', toml: listeners + pools });
  await daemon.backendsUp('echo', 2);
  await daemon.backendsUp('mortal', 1);

  const asker = await askers(t, daemon, 1);
  t.equal((await asker[0]?.ask('before'))?.payload.toString(), 'before');
  const bulk = await bulkClients(t, daemon, 6);
  const crowd = await comes(daemon, openFiles);
  for (const name of LISTENERS) {
    const full = await daemon.event('listener-full', ({ listener }) => listener === name);
    t.match(full, { detail: /as many sessions as it may have|open files/ });
  }
  const most = await daemon.descriptors();
  t.ok(most <= openFiles - 16, `${most} of ${openFiles} are open`);
  t.ok(most >= openFiles / 2, `${most} of ${openFiles} are open`);
  await Promise.all(bulk.map(async (check) => t.equal(await check(), 'every byte')));
  t.equal((await asker[0]?.ask('still'))?.payload.toString(), 'still', 'an old flow goes on');
  await shedsFlows(t, daemon);
  await stillWorks(t, daemon, mortal);

  const more = listenerText({ name: 'd', pool: 'echo' });
  t.match(await daemon.reload(listeners + more + pools), { event: 'reloaded' });
  const refused = await daemon.reload(listeners + more + tooMany(openFiles) + pools);
  t.match(refused, { event: 'reload-failed' });
  t.match(JSON.stringify(refused), /too few open files.*LimitNOFILE/);
  await stillWorks(t, daemon, undefined);

  t.equal(await served(crowd), crowd.length, 'a client that waited is served when others leave');
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum <= 60);
  for (const name of [...LISTENERS, 'd']) {
    t.equal(await exchangeOnce({ port: await daemon.port(name) }), null, name);
  }
  t.same(daemon.eventsNamed('accept-failed'), []);
  t.same(daemon.eventsNamed('listen-failed'), []);
  const refusals = (await daemon.metrics()).sum('sluice_refused_total');
  t.equal(refusals, 0, 'no client was refused');
}

/** Clients of all listeners, half as many again as there are descriptors; each sends a byte. */
async function comes(daemon: Daemon, openFiles: number): Promise<readonly Wire[]> {
  const crowd: Wire[] = [];
  for (let i = 0; i < openFiles / 2; i++) {
    for (const name of LISTENERS) {
      const wire = await tryDial({ port: await daemon.port(name) });
      if (typeof wire === 'string') throw new Error(`a client was refused: ${wire}`);
      crowd.push(wire);
    }
  }
  for (const wire of crowd) wire.send('x').catch(() => {});
  return crowd;
}

/** Each client that has its echo leaves, until all had theirs; answers how many. */
async function served(crowd: readonly Wire[]): Promise<number> {
  const answers = crowd.map(async (wire) => {
    const echo = await wire.readText(1);
    wire.socket.destroy();
    return echo;
  });
  return (await Promise.all(answers)).filter((echo) => echo === 'x').length;
}

/** Clients whose transfers begin later, each with its check. */
async function bulkClients(
  t: Test,
  daemon: Daemon,
  count: number,
): Promise<readonly (() => Promise<string>)[]> {
  const checks: (() => Promise<string>)[] = [];
  for (let seed = 1; seed <= count; seed++) {
    const client = await dial(t, { port: await daemon.port('a') });
    await client.send('?');
    await client.readText(1);
    checks.push(async () => {
      client.socket.removeAllListeners('data');
      const came = receiveDigest(client.socket, 60_000);
      await sendPayload(client.socket, BULK_BYTES, seed);
      return (await came) === payloadDigest(BULK_BYTES, seed) ? 'every byte' : 'something else';
    });
  }
  return checks;
}

async function askers(t: Test, daemon: Daemon, count: number): Promise<readonly UdpClient[]> {
  return udpClients(t, { port: await daemon.port('dns') }, count);
}

/** There may be one descriptor left, or some of a client that has just gone: not for 50 flows. */
async function shedsFlows(t: Test, daemon: Daemon): Promise<void> {
  for (const client of await askers(t, daemon, 50)) client.send('new');
  const shed = await daemon.metricSettles(
    'sluice_datagrams_dropped_total',
    { reason: 'flow-limit' },
    (sum) => sum > 0,
  );
  t.ok(shed > 0, `${shed} of 50 are shed`);
}

/** Pages are served, and a backend that dies (and comes back) is noticed. */
async function stillWorks(t: Test, daemon: Daemon, mortal: EchoBackend | undefined): Promise<void> {
  const pages = ['/healthz', '/ready', '/health', '/metrics'];
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(pages.map((page) => daemon.get(page)));
    t.ok(answers.every(({ status }) => status === 200 || status === 503));
    t.equal(answers[0]?.status, 200);
  }
  if (mortal === undefined) return;
  await mortal.kill();
  await daemon.backendsUp('mortal', 0);
  await mortal.start();
  await eventually('it is up again', async () => {
    await daemon.backendsUp('mortal', 1);
    return true;
  });
}

/** Listeners of 60 addresses each, which take more than sessions and they have together. */
function tooMany(openFiles: number): string {
  const listeners = Array.from({ length: openFiles / 128 }, (_, index) => index);
  return listeners
    .map((index) => {
      const bind = Array.from({ length: 60 }, (_, i) => `"127.0.${index}.${1 + i}:0"`);
      return `[listeners.many${index}]\nbind = [${bind.join(', ')}]\npool = "echo"\n`;
    })
    .join('');
}
