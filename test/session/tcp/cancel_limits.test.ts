/** A client that has all the sessions that it may have can cancel them: a cancel is none. */
import t from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { LimitsSpec } from '../../../src/core/spec.js';
import { encodeV2 } from '../../../src/session/proxy_protocol/encode.js';
import { NO_LIMITS } from '../../support/limits.js';
import { type Bed, bed, NOTHING } from './bed.js';

const ONE: LimitsSpec = { ...NO_LIMITS, sessionsPerClient: 1 };
const POSTGRES = { cancel: 'route', strict: true } as const;
const START = Buffer.from('00000013000300007573657200706700', 'hex');
const CANCEL = Buffer.from('0000001004d2162e0000000100000002', 'hex');
const PEER = ipEndpoint(4, '10.1.1.1', 4711);
/** Of one client, while no other has any. */
const MAX_TRIALS = 32;

/** A client comes and says something. */
function says(test: Bed, bytes: Buffer, peer = PEER): PairId {
  const pair = test.accept(0, peer);
  test.worker(0).tcp.clientSends(pair, bytes);
  return pair;
}

const counted = (test: Bed): number => test.remains().clients;

t.test('a cancel counts for nothing, and passes where its client may have no more', async (t) => {
  const test = await bed({ listener: { limits: ONE, postgres: POSTGRES } });
  const { tcp, cancels } = test.worker(0);
  const session = says(test, START);
  tcp.dialSucceeds(session);
  const cancel = says(test, CANCEL);
  t.equal(cancels.length, 1);
  t.same(cancels[0]?.header.source, PEER);
  t.equal(counted(test), 1);
  const number = cancels[0]?.number ?? 0;
  test.worker(0).plane.tcp.cancelled(cancel, number, 'handed on');
  test.turn();
  t.same(test.causes, ['cancel-handed-on']);

  const second = says(test, START);
  t.match(String(tcp.pair(second).answers), /SFATAL.*C53300.*too-many-sessions/);
  test.turn();
  t.same(test.causes, ['cancel-handed-on', 'too-many-sessions']);
  t.equal(counted(test), 1);
  tcp.ends(session, { kind: 'finished', first: 'client' });
  test.turn();
  t.same(test.remains(), NOTHING);

  says(test, CANCEL);
  t.equal(counted(test), 0, 'also where it had a place');
  says(test, START);
  t.equal(counted(test), 1);
});

t.test('a cancel is not too fast for its client', async (t) => {
  const newPerClient = { count: 1, perMs: 60_000, burst: 1 };
  const limits = { ...ONE, sessionsPerClient: 0, newPerClient };
  const test = await bed({ listener: { limits, postgres: POSTGRES } });
  says(test, START);
  for (let n = 0; n < 5; n++) says(test, CANCEL);
  t.equal(test.worker(0).cancels.length, 5);
  says(test, START);
  t.equal(test.ended('too-fast'), 0, 'it gets a message, and then it ends');
  test.turn();
  t.equal(test.ended('too-fast'), 1);
});

t.test('a cancel takes no turn of its client', async (t) => {
  const newPerClient = { count: 3, perMs: 60_000, burst: 3 };
  const limits = { ...ONE, sessionsPerClient: 0, newPerClient };
  const test = await bed({ listener: { limits, postgres: POSTGRES } });
  for (let n = 0; n < 7; n++) says(test, CANCEL);
  t.equal(test.worker(0).cancels.length, 7);
  for (let n = 0; n < 4; n++) says(test, START);
  test.turn();
  t.same(test.causes, ['too-fast'], 'three may begin, and not one more');
  t.equal(counted(test), 3);
});

t.test('behind a proxy, too', async (t) => {
  const trustedProxies = [{ family: 4, host: '10.9.9.0', prefixBits: 24 }] as const;
  const test = await bed({ listener: { limits: ONE, postgres: POSTGRES, trustedProxies } });
  const source = ipEndpoint(4, '203.0.113.7', 1);
  const header = encodeV2({ transport: 'stream', source, destination: source, tlvs: [] });
  const behind = (bytes: Buffer): PairId =>
    says(test, Buffer.concat([header, bytes]), ipEndpoint(4, '10.9.9.1', 1));
  behind(START);
  behind(CANCEL);
  t.equal(test.worker(0).cancels.length, 1);
  t.match(test.worker(0).cancels[0]?.header, { source, destination: source });
  t.equal(counted(test), 1);
  behind(START);
  test.turn();
  t.same(test.causes, ['too-many-sessions']);

  for (const bytes of [START, CANCEL]) {
    const pair = behind(Buffer.alloc(0));
    t.match(test.state(pair), /^early/, 'it may have come to cancel');
    test.worker(0).tcp.clientSends(pair, bytes);
    test.turn();
  }
  t.same(test.causes, ['too-many-sessions', 'too-many-sessions']);
  t.equal(test.worker(0).cancels.length, 2);
  t.equal(counted(test), 1);

  for (let n = 0; n < MAX_TRIALS + 8; n++) behind(Buffer.alloc(0));
  test.turn();
  t.equal(test.ended('too-many-sessions'), 2 + 8, 'few may be silent');
  behind(CANCEL);
  t.equal(test.worker(0).cancels.length, 3, 'and others need not wait for them');
});

t.test('a client that says nothing waits for its deadline, and few of them do', async (t) => {
  const listener = { limits: ONE, postgres: POSTGRES, helloTimeoutMs: 1_000 };
  const test = await bed({ listener });
  const session = says(test, START);
  const { tcp } = test.worker(0);
  tcp.dialSucceeds(session);
  const silent = Array.from({ length: MAX_TRIALS + 8 }, () => test.accept(0, PEER));
  t.match(test.remains(), { sessions: 1 + MAX_TRIALS, clients: 1 });
  t.equal(test.ended('too-many-sessions'), 8, 'the others are refused unread');
  for (const pair of silent.slice(0, 3)) tcp.ends(pair, { kind: 'reset', by: 'client' });
  test.turn();
  for (let n = 0; n < 3; n++) test.accept(0, PEER);
  t.match(test.remains(), { sessions: 1 + MAX_TRIALS });
  await test.pass(1_200);
  t.match(test.remains(), { sessions: 1, clients: 1 });
  t.equal(test.ended('hello-timeout'), MAX_TRIALS);
});

t.test('a client that says nothing keeps no other one from cancelling', async (t) => {
  const test = await bed({ listener: { limits: ONE, postgres: POSTGRES } });
  const other = ipEndpoint(4, '10.1.1.2', 4711);
  for (const peer of [PEER, other]) test.worker(0).tcp.dialSucceeds(says(test, START, peer));
  for (let n = 0; n < 3 * MAX_TRIALS; n++) test.accept(0, PEER);
  t.equal(test.ended('too-many-sessions'), 2 * MAX_TRIALS);
  for (let n = 0; n < 10; n++) says(test, CANCEL, other);
  t.equal(test.worker(0).cancels.length, 10);
});

t.test('where cancels are passed on, or nothing is refused, no client is read first', async (t) => {
  const pass = { ...POSTGRES, cancel: 'pass' } as const;
  const passing = await bed({ listener: { limits: ONE, postgres: pass } });
  says(passing, START);
  passing.accept(0, PEER);
  t.equal(passing.ended('too-many-sessions'), 1, 'it is refused unread');
  const dry = await bed({ listener: { limits: { ...ONE, dryRun: true }, postgres: POSTGRES } });
  for (let n = 0; n < 3; n++) says(dry, START);
  t.equal(dry.dryRun('too-many-sessions'), 2);
  t.equal(counted(dry), 1);
});
