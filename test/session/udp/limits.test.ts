/** What one client may have of a UDP listener: flows at a time, and how fast they may begin. */
import t from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { LimitsSpec } from '../../../src/core/spec.js';
import { NO_LIMITS } from '../../support/limits.js';
import { bed, NOTHING } from './bed.js';

const LIMITS: LimitsSpec = { ...NO_LIMITS, sessionsPerClient: 2 };

const peer = (host: string, port: number) => ipEndpoint(4, host, port);

t.test('a client has a limited number of flows, and its place again when one ends', async (t) => {
  const test = await bed({ listener: { limits: LIMITS, idleTimeoutMs: 1_000 } });
  for (const port of [1, 2, 3, 3]) test.send(peer('10.1.1.1', port), 'question');
  test.send(peer('10.1.1.2', 1), 'question');
  t.equal(test.flows.count, 3);
  t.equal(test.drops('too-many-sessions'), 2);
  t.equal(test.remains()['clients'], 3);
  await test.pass(600);
  test.send(peer('10.1.1.1', 2), 'question');
  await test.pass(600);
  test.send(peer('10.1.1.1', 4), 'question');
  test.send(peer('10.1.1.1', 5), 'question');
  t.equal(test.flows.count, 2);
  t.equal(test.drops('too-many-sessions'), 3);
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.same(test.remains(), NOTHING);
});

t.test('flows begin so fast, of one client and of all', async (t) => {
  const newPerClient = { count: 1, perMs: 1_000, burst: 1 };
  const test = await bed({
    listener: { limits: { ...LIMITS, newPerClient, newPerSecond: 2 } },
  });
  test.send(peer('10.1.1.1', 1), 'question');
  test.send(peer('10.1.1.1', 2), 'question');
  test.send(peer('10.1.1.2', 1), 'question');
  t.equal(test.flows.count, 1);
  t.equal(test.drops('too-fast'), 2);
  await test.pass(500);
  test.send(peer('10.1.1.3', 1), 'question');
  t.equal(test.flows.count, 2);
  t.equal(test.remains()['clients'], 2, 'a flow that was too early is not counted');
});

t.test('a flow that finds no place at the listener has spent no turn of its own', async (t) => {
  const newPerClient = { count: 1, perMs: 60_000, burst: 1 };
  const limits = { ...LIMITS, newPerClient };
  const test = await bed({ listener: { limits, maxSessions: 1, idleTimeoutMs: 1_000 } });
  test.send(peer('10.1.1.1', 1), 'question');
  for (const port of [1, 2]) test.send(peer('10.1.1.2', port), 'question');
  t.equal(test.drops('flow-limit'), 2);
  await test.pass(2_000);
  test.send(peer('10.1.1.2', 3), 'question');
  t.equal(test.flows.count, 1);
  t.equal(test.drops('too-fast'), 0);

  const early = await bed({ listener: { limits: { ...limits, newPerSecond: 1 } } });
  early.send(peer('10.1.1.1', 1), 'question');
  early.send(peer('10.1.1.2', 1), 'question');
  t.equal(early.drops('too-fast'), 1, 'too early for the listener');
  await early.pass(2_000);
  early.send(peer('10.1.1.2', 1), 'question');
  t.equal(early.flows.count, 2);
});

t.test('a client that is refused costs the listener no turn', async (t) => {
  const limits = { ...LIMITS, sessionsPerClient: 1, newPerSecond: 1 };
  const test = await bed({ listener: { limits } });
  test.send(peer('10.1.1.1', 1), 'question');
  await test.pass(2_000);
  for (const port of [2, 3, 4]) test.send(peer('10.1.1.1', port), 'question');
  t.equal(test.drops('too-many-sessions'), 3);
  test.send(peer('10.1.1.2', 1), 'question');
  t.equal(test.flows.count, 2);
});

t.test('a flow that finds no place or no backend is not counted', async (t) => {
  const full = await bed({ listener: { limits: LIMITS, maxSessions: 1 } });
  for (const port of [1, 2, 3]) full.send(peer('10.1.1.1', port), 'question');
  t.equal(full.drops('flow-limit'), 2);
  t.equal(full.remains()['clients'], 1);
  const down = await bed({ health: 'down', listener: { limits: LIMITS } });
  for (const port of [1, 2, 3]) down.send(peer('10.1.1.1', port), 'question');
  t.equal(down.drops('all-down'), 3);
  t.same(down.remains(), NOTHING);
});
