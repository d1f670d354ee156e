/** What every probe promises (src/health/probe.ts), against backends that do all kinds of wrong. */

import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { PROBE_KINDS } from '../../src/config/schema/probe_keys.js';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { below, seededRandom } from '../../src/core/random.js';
import {
  PROBE_FAILURES,
  type Probe,
  type ProbeFailure,
  type ProbeResult,
} from '../../src/health/probe.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { makeCertificate } from '../support/certificate.js';
import { within } from '../support/deadline.js';
import { freePort, tempFolder } from '../support/places.js';
import { haveServers } from '../support/require_server.js';
import { seed } from '../support/seed.js';
import { silentEndpoint } from '../support/silent_endpoint.js';
import {
  DAEMON_PROBES,
  LIBRARY_PROBES,
  type MakeProbe,
  type TcpCase,
  tcpCases,
  type UdpCase,
  udpCases,
} from './probe_cases.js';
import { type Fault, type Peer, type Script, startTcpPeer, startUdpPeer } from './probe_peers.js';

t.comment(`SEED=${seed}`);

const NO_PRELUDE = new Uint8Array(0);
const MUTATIONS = 40;
/** Broadcast: the kernel refuses to route TCP to it, and UDP without permission. */
const UNROUTABLE = '255.255.255.255';

/** Faults that end the attempt by themselves, and what they may be called. */
const ENDING: readonly (readonly [Fault, readonly ProbeFailure[]])[] = [
  ['garbage', ['wrong-answer', 'closed-early', 'tls']],
  ['half an answer, then the end', ['closed-early', 'wrong-answer']],
  ['endless data', ['too-much-data', 'wrong-answer', 'tls']],
  ['closing at once', ['closed-early', 'reset']],
  ['reset at once', ['reset', 'closed-early']],
];
const STALLING: readonly Fault[] = ['silence', 'half an answer'];

/** The pipes of this process itself. */
const BEFORE = await openSockets();

/** Runs one attempt, and proves that it leaves nothing open. */
async function attempt(
  t: Test,
  probe: Probe,
  peer: Peer,
  signal: AbortSignal = new AbortController().signal,
): Promise<ProbeResult> {
  const target = { endpoint: peer.endpoint, prelude: NO_PRELUDE };
  const result = await within('the end of the attempt', probe.attempt(target, signal));
  await peer.stop();
  t.same(await openSockets(), BEFORE, 'nothing is left open');
  return result;
}

/** After a few turns of the event loop: Node.js forgets a handle some time after it was closed. */
async function openSockets(): Promise<string[]> {
  await turns(3);
  const known = process.getActiveResourcesInfo();
  return [...known.filter((name) => /TCP|UDP|Pipe|TLS|Connect/.test(name)), ...descriptors()];
}

/** Sockets that Node.js does not know are among them. */
function descriptors(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    const what = linkOf(`/proc/self/fd/${fd}`);
    return what.startsWith('socket:') ? [what] : [];
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The folder's own descriptor is closed by then.
    return '';
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function attemptAt(probe: Probe, endpoint: Endpoint): Promise<ProbeResult> {
  const { signal } = new AbortController();
  return within('the attempt', probe.attempt({ endpoint, prelude: NO_PRELUDE }, signal));
}

function failureOf(result: ProbeResult): ProbeFailure | 'ok' {
  return result.ok ? 'ok' : result.failure;
}

/** Aborts when the peer has done all that it will do, and its bytes have had time to arrive. */
async function abortWhenStalled(peer: Peer, over: Promise<unknown>): Promise<void> {
  await Promise.race([peer.stalled, over]);
  await turns(20);
}

async function servesHonestPeers(t: Test, { probe, script }: TcpCase): Promise<void> {
  for (const fault of ['none', 'one byte a time'] as const) {
    const result = await attempt(t, probe, await startTcpPeer(script, fault));
    t.equal(failureOf(result), 'ok', `${fault}: ${JSON.stringify(result)}`);
  }
}

async function refusesFaults(t: Test, one: TcpCase): Promise<void> {
  for (const [fault, failures] of ENDING) {
    const result = await attempt(t, one.probe, await startTcpPeer(one.script, fault));
    // A reset may come so early that the connection does not stand for any of them.
    const also: readonly string[] = fault === 'reset at once' ? failures : [];
    const allowed: readonly string[] = one.contentWithConnection ? ['ok', ...also] : failures;
    t.ok(allowed.includes(failureOf(result)), `${fault}: ${JSON.stringify(result)}`);
  }
  if (one.refusal === null) return;
  const peer = await startTcpPeer({ steps: one.refusal.steps }, 'none');
  const result = await attempt(t, one.probe, peer);
  t.equal(failureOf(result), one.refusal.failure, JSON.stringify(result));
}

async function endsBySignal(t: Test, one: TcpCase): Promise<void> {
  for (const fault of STALLING) {
    const abort = new AbortController();
    const peer = await startTcpPeer(one.script, fault);
    const over = attempt(t, one.probe, peer, abort.signal);
    await abortWhenStalled(peer, over);
    abort.abort();
    const expected = one.contentWithConnection ? 'ok' : 'timeout';
    t.equal(failureOf(await over), expected, fault);
  }
  const early = await attempt(
    t,
    one.probe,
    await startTcpPeer(one.script, 'none'),
    AbortSignal.abort(),
  );
  t.equal(failureOf(early), 'timeout', 'before it began');
  const abort = new AbortController();
  const connecting = attempt(t, one.probe, await startTcpPeer(one.script, 'none'), abort.signal);
  abort.abort();
  t.equal(failureOf(await connecting), 'timeout', 'while it connects');
}

async function tellsWhatIsNotThere(t: Test, probe: Probe): Promise<void> {
  const closed = ipEndpoint(4, '127.0.0.1', await freePort());
  t.equal(failureOf(await attemptAt(probe, closed)), 'refused');
  const unroutable = ipEndpoint(4, UNROUTABLE, 9);
  t.equal(failureOf(await attemptAt(probe, unroutable)), 'unreachable');
}

/** Answers with a few bytes changed, cut or repeated: whatever they mean, the attempt ends well. */
async function survivesMutations(t: Test, { probe, script, name }: TcpCase): Promise<void> {
  const random = seededRandom(seed);
  for (let round = 0; round < MUTATIONS; round++) {
    const steps = script.steps.map(({ after, send }) => ({ after, send: mutate(random, send) }));
    const abort = new AbortController();
    const peer = await startTcpPeer({ ...script, steps } as Script, 'none');
    const attempting = probe.attempt(
      { endpoint: peer.endpoint, prelude: NO_PRELUDE },
      abort.signal,
    );
    let over = false;
    void attempting.then(() => {
      over = true;
    });
    for (let turn = 0; turn < 60 && !over; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort();
    const result = await within(`${name}, mutation ${round}`, attempting);
    await peer.stop();
    const known: readonly string[] = ['ok', ...PROBE_FAILURES];
    if (!known.includes(failureOf(result))) t.fail(`round ${round}: ${JSON.stringify(result)}`);
  }
  t.same(await openSockets(), BEFORE, 'nothing is left open');
}

function mutate(random: ReturnType<typeof seededRandom>, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  switch (below(random, 3)) {
    case 0:
      for (let i = 0; i < 3 && copy.length > 0; i++) {
        copy[below(random, copy.length)] = below(random, 256);
      }
      return copy;
    case 1:
      return copy.subarray(0, below(random, copy.length + 1));
    default:
      return Buffer.concat([copy, copy]);
  }
}

async function contractOfTcp(t: Test, one: TcpCase): Promise<void> {
  await t.test('says yes to an honest backend, however its bytes come', (t) =>
    servesHonestPeers(t, one),
  );
  await t.test('says no to every fault, and ends by itself', (t) => refusesFaults(t, one));
  await t.test('ends by its signal, at any stage', (t) => endsBySignal(t, one));
  await t.test('names what is not there', (t) => tellsWhatIsNotThere(t, one.probe));
  await t.test('survives mutated answers', (t) => survivesMutations(t, one));
}

async function contractOfUdp(t: Test, one: UdpCase): Promise<void> {
  await t.test('says yes to an honest backend', async (t) => {
    const peer = await startUdpPeer((query) => [one.honest(query)]);
    t.equal(failureOf(await attempt(t, one.probe, peer)), 'ok');
  });
  await t.test('says no to a wrong answer', async (t) => {
    const { refusal } = one;
    if (refusal === null) return;
    const result = await attempt(t, one.probe, await startUdpPeer((query) => [refusal(query)]));
    t.ok(['not-ready', 'wrong-answer'].includes(failureOf(result)), JSON.stringify(result));
  });
  await t.test('ends by its signal when nothing comes', async (t) => {
    const abort = new AbortController();
    const peer = await startUdpPeer(() => []);
    const over = attempt(t, one.probe, peer, abort.signal);
    await abortWhenStalled(peer, over);
    abort.abort();
    t.equal(failureOf(await over), one.contentWithSilence ? 'ok' : 'timeout');
  });
  await t.test('ends by itself when it is flooded', async (t) => {
    const flood = Array.from({ length: 100 }, () => Buffer.from('no answer to that'));
    const result = await attempt(t, one.probe, await startUdpPeer(() => flood));
    const allowed = one.contentWithSilence ? ['ok'] : ['too-much-data', 'wrong-answer'];
    t.ok(allowed.includes(failureOf(result)), JSON.stringify(result));
  });
  await t.test('survives datagrams of random bytes', async (t) => {
    const random = seededRandom(seed);
    const blob = (): Buffer =>
      Buffer.from(Array.from({ length: below(random, 40) }, () => below(random, 256)));
    for (let round = 0; round < MUTATIONS; round++) {
      const abort = new AbortController();
      const peer = await startUdpPeer((query) => [mutate(random, query), blob(), blob()]);
      const over = attempt(t, one.probe, peer, abort.signal);
      await abortWhenStalled(peer, over);
      abort.abort();
      await over;
    }
  });
  await t.test('names what is not there', (t) => tellsWhatIsNotThere(t, one.probe));
}

/** Plain connections are sockets of Node.js for the one, and descriptors for the other. */
const MAKERS: Readonly<Record<string, MakeProbe>> = {
  'the library': LIBRARY_PROBES,
  ...(DAEMON_PROBES === null ? {} : { 'the daemon': DAEMON_PROBES }),
};

byBoth('TCP', async (t, by) => {
  if (!haveServers(t, 'openssl')) return;
  for (const one of tcpCases(await makeCertificate(t), by)) {
    await t.test(one.name, (t) => contractOfTcp(t, one));
  }
});

byBoth('UDP', async (t, by) => {
  for (const one of udpCases(by)) await t.test(one.name, (t) => contractOfUdp(t, one));
});

t.test('every probe that a file can ask for has a case', async (t) => {
  if (!haveServers(t, 'openssl')) return;
  const cases = [
    ...tcpCases(await makeCertificate(t), LIBRARY_PROBES),
    ...udpCases(LIBRARY_PROBES),
  ].map(({ name }) => name.split(' ')[0] ?? '');
  t.same(
    PROBE_KINDS.filter((kind) => kind !== 'none' && !cases.includes(kind)),
    [],
  );
});

function byBoth(name: string, body: (t: Test, by: MakeProbe) => Promise<void>): void {
  for (const [who, by] of Object.entries(MAKERS)) t.test(`${who}: ${name}`, (t) => body(t, by));
}

byBoth('the tcp probe is content with a Unix socket that accepts', async (t, by) => {
  const path = `${tempFolder(t)}/socket`;
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(path);
  await once(server, 'listening');
  const result = await attemptAt(by({ kind: 'tcp' }), { kind: 'unix', path });
  t.equal(failureOf(result), 'ok');
  server.close();
  await once(server, 'close');
});

byBoth('a probe waits for room in the backlog of a Unix socket', async (t, by) => {
  if (!loadKernel().ok) return;
  const path = `${tempFolder(t)}/socket`;
  const full = await silentEndpoint({ kind: 'unix', path });
  const attempting = attemptAt(by({ kind: 'tcp' }), full.endpoint);
  const other = await Promise.race([attempting, turns(20)]);
  t.equal(other, undefined, 'it is not over');
  t.ok(full.accept());
  t.same(await attempting, { ok: true, share: 1, note: '' });
  full.close();
});

byBoth('every probe over TCP waits for room until its signal aborts', async (t, by) => {
  if (!loadKernel().ok || !haveServers(t, 'openssl')) return;
  const path = `${tempFolder(t)}/socket`;
  const { endpoint, close } = await silentEndpoint({ kind: 'unix', path });
  for (const { name, probe } of tcpCases(await makeCertificate(t), by)) {
    const abort = new AbortController();
    const attempting = probe.attempt({ endpoint, prelude: NO_PRELUDE }, abort.signal);
    t.equal(await Promise.race([attempting, turns(20)]), undefined, `${name} is not over`);
    abort.abort();
    t.match(await within('the end', attempting), { ok: false, failure: 'timeout' }, name);
  }
  close();
  t.same(await openSockets(), BEFORE);
});

byBoth('every probe over TCP reaches a Unix socket, and sends the prelude first', async (t, by) => {
  if (!haveServers(t, 'openssl')) return;
  const path = `${tempFolder(t)}/socket`;
  for (const { name, probe } of tcpCases(await makeCertificate(t), by)) {
    const server = createServer().listen(path);
    await once(server, 'listening');
    const prelude = Buffer.from('PROXY UNKNOWN\r\n');
    const abort = new AbortController();
    const attempting = probe.attempt({ endpoint: { kind: 'unix', path }, prelude }, abort.signal);
    const [socket] = await once(server, 'connection');
    socket.on('error', () => {});
    const [first] = await once(socket, 'data');
    t.equal(first.toString('latin1', 0, prelude.length), prelude.toString(), name);
    abort.abort();
    await attempting;
    socket.destroy();
    server.close();
    await once(server, 'close');
  }
  t.same(await openSockets(), BEFORE);
});
