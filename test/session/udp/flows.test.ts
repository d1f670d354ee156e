/** What becomes of datagrams and flows when all is well, and when places or time run out. */
import t from 'tap';
import type { ListenerId, WorkerId } from '../../../src/core/brand.js';
import { changed } from '../../support/changed.js';
import { bed, client, KEY, listenerPlan, NOTHING } from './bed.js';

const [a, b, c] = [client(1), client(2), client(3)];

t.test('a flow keeps its backend, and other clients get the other one', async (t) => {
  const test = await bed();
  const { engine } = test;
  for (const text of ['a1', 'b1', 'a2', 'b2']) test.send(text.startsWith('a') ? a : b, text);
  const toA = engine.upstream.filter(({ text }) => text.startsWith('a')).map(({ to }) => to);
  const toB = engine.upstream.filter(({ text }) => text.startsWith('b')).map(({ to }) => to);
  t.equal(new Set(toA).size, 1);
  t.equal(new Set(toB).size, 1);
  t.not(toA[0], toB[0]);
});

t.test('a flow ends when nothing moved for the idle timeout, and not before', async (t) => {
  const test = await bed();
  test.send(a, 'ping');
  await test.pass(59_000, 1000);
  test.engine.reply(a, 'pong');
  await test.pass(59_900, 100);
  t.equal(test.flows.count, 1, 'a reply is activity');
  await test.pass(200);
  t.same(test.remains(), NOTHING);
  t.match(test.records, [
    {
      protocol: 'udp',
      listener: 'resolver',
      client: '198.51.100.0:10001',
      local: '192.0.2.1:53',
      pool: 'dns',
      policy: 'least-connections',
      tried: [],
      firstByteMs: 59_000,
      bytesIn: 4,
      bytesOut: 4,
      end: { by: 'sluice', stage: 'relay', cause: 'idle-timeout' },
    },
  ]);
});

t.test('an empty datagram opens a flow and keeps it alive', async (t) => {
  const test = await bed();
  test.send(a, '');
  t.same(test.engine.upstream, [{ to: test.lastTarget, text: '' }]);
  await test.pass(59_000, 1000);
  test.send(a, '');
  await test.pass(59_000, 1000);
  t.equal(test.flows.count, 1);
  t.equal(test.total('datagramsIn'), 2);
});

t.test('at max_sessions new flows are shed and counted, old ones go on', async (t) => {
  const test = await bed({ listener: { maxSessions: 2 } });
  for (const peer of [a, b, c, c]) test.send(peer, 'x');
  t.equal(test.drops('flow-limit'), 2);
  t.equal(test.engine.upstream.length, 2);
  test.send(a, 'y');
  t.equal(test.engine.upstream.length, 3);
  await test.pass(61_000, 1000);
  test.send(c, 'x');
  t.equal(test.flows.count, 1);
  t.equal(test.records.length, 2, 'a shed datagram is no session');
});

t.test('whatever breaks when a flow gives back, the engine forgets it', async (t) => {
  const defects: unknown[] = [];
  const test = await bed({ internalError: (error) => defects.push(error) });
  test.send(a, 'ping');
  const { giveBack } = test.ledger;
  const { client: clientOf } = test.engine;
  const broken = (): never => {
    throw new Error('broken');
  };
  Object.assign(test.ledger, { giveBack: broken });
  Object.assign(test.engine, { client: broken });
  await test.pass(61_000, 1000);
  Object.assign(test.ledger, { giveBack });
  Object.assign(test.engine, { client: clientOf });
  t.equal(defects.length, 1);
  t.match(test.remains(), { flows: 0, engine: 0, listener: 0, active: 0 });
  test.send(a, 'again');
  t.equal(test.flows.count, 1, 'its next datagram begins a new flow');
});

t.test('the cap counts what other workers hold', async (t) => {
  const test = await bed({ listener: { maxSessions: 2 } });
  test.ledger.tryTakeListener(test.listenerPlan.id, 2, 1 as WorkerId);
  test.send(a, 'x');
  test.send(b, 'x');
  t.equal(test.flows.count, 1);
  t.equal(test.drops('flow-limit'), 1);
});

t.test('with udp_responses a flow ends after its number of replies', async (t) => {
  const test = await bed({ pool: { udpResponses: 2 } });
  test.send(a, 'query');
  test.engine.reply(a, '1');
  t.equal(test.flows.count, 1);
  test.engine.reply(a, '2');
  t.same(test.remains(), NOTHING);
  t.match(test.records, [{ end: { by: 'backend', cause: 'responses-done' } }]);
});

t.test('with udp_responses a reply that is owed for another datagram is waited for', async (t) => {
  const test = await bed({ pool: { udpResponses: 1 } });
  test.send(a, 'A?');
  test.send(a, 'AAAA?');
  test.engine.reply(a, 'A');
  t.equal(test.flows.count, 1);
  test.engine.reply(a, 'AAAA');
  t.equal(test.flows.count, 0);
});

t.test('a flow ends at max_session_age, give or take a tenth', async (t) => {
  const test = await bed({ listener: { maxSessionAgeMs: 10_000 } });
  for (let index = 0; index < 20; index++) test.send(client(index), 'x');
  await test.pass(8_990);
  t.equal(test.flows.count, 20);
  await test.pass(2_020);
  t.same(test.remains(), NOTHING);
  const ages = test.records.map(({ durationMs }) => durationMs);
  t.ok(Math.max(...ages) - Math.min(...ages) > 500, `${ages}`);
  t.match(test.records[0], { end: { by: 'sluice', cause: 'max-age' } });
});

t.test('what has moved is counted at the backend that it moved to', async (t) => {
  const test = await bed({ backends: 1 });
  test.send(a, 'four');
  test.engine.reply(a, 'sixsix');
  await test.pass(300);
  t.equal(test.at(0, 'bytesIn'), 4);
  t.equal(test.at(0, 'bytesOut'), 6);
  t.equal(test.at(0, 'datagramsIn'), 1);
  t.equal(test.at(0, 'datagramsOut'), 1);
  t.equal(test.at(0, 'active'), 1);
  t.equal(test.total('accepted'), 1);
});

t.test(
  'a tick says when the next one is due: soon while counters move, later at rest',
  async (t) => {
    const test = await bed();
    t.equal(test.flows.tick(test.time.nowMs()), Number.POSITIVE_INFINITY);
    test.send(a, 'x');
    await test.pass(300);
    t.ok(test.flows.tick(test.time.nowMs()) <= test.time.nowMs() + 250);
    await test.pass(1000);
    t.ok(test.flows.tick(test.time.nowMs()) > test.time.nowMs() + 250);
  },
);

t.test('an engine without free numbers sheds', async (t) => {
  const test = await bed({ capacity: 1 });
  test.send(a, 'x');
  test.send(b, 'x');
  t.equal(test.drops('flow-limit'), 1);
});

t.test('ten thousand flows come and go and leave nothing', async (t) => {
  const test = await bed({
    capacity: 10_000,
    listener: { maxSessions: 10_000, idleTimeoutMs: 1000 },
  });
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 10_000; index++) test.send(client(index), 'x');
    t.match(test.remains(), { flows: 10_000, engine: 10_000, listener: 10_000, backends: 10_000 });
    await test.pass(1100, 100);
    t.same(test.remains(), NOTHING);
  }
  t.equal(test.records.length, 20_000);
});

t.test('a changed idle timeout holds for flows that run', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  await test.flows.listeners.apply(changed(test.listenerPlan, { idleTimeoutMs: 500 }), test.pool);
  await test.pass(520);
  t.equal(test.flows.count, 0);
});

t.test('flows of sockets that stay go on over a reload, those of a closed one end', async (t) => {
  const test = await bed({ listener: listenerPlan([KEY, 54]) });
  test.send(a, 'x');
  test.engine.receive(54, b, 'x');
  const opened = await test.flows.listeners.apply(listenerPlan([KEY, 55]), test.pool);
  t.same(
    opened.map(({ key }) => key),
    [55],
  );
  t.same([...test.engine.sockets.keys()], [KEY, 55]);
  t.equal(test.flows.count, 1);
  test.send(a, 'y');
  t.equal(test.engine.upstream.length, 3);
  t.match(test.records, [{ end: { cause: 'drained' } }]);
});

t.test('flows of a removed listener go on, none begins, and the last one closes it', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  test.flows.listeners.remove(test.listenerPlan.id);
  await test.flows.listeners.giveWay([{ ...listenerPlan([54]), id: 1 as ListenerId }], new Set());
  await test.pass(1_000);
  test.send(b, 'x');
  t.equal(test.drops('listener-closing'), 1);
  test.send(a, 'y');
  test.engine.reply(a, 'z');
  t.same(
    test.engine.downstream.map(({ text }) => text),
    ['z'],
  );
  t.equal(test.flows.count, 1);
  await test.pass(61_000, 1000);
  t.same(test.remains(), NOTHING);
  t.equal(test.engine.sockets.size, 0);
  t.match(test.records, [{ end: { cause: 'idle-timeout' } }]);
});

t.test('a removed listener that is there again goes on with its sockets', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  test.flows.listeners.remove(test.listenerPlan.id);
  await test.flows.listeners.giveWay([test.listenerPlan], new Set([test.listenerPlan.id]));
  t.same(await test.flows.listeners.apply(test.listenerPlan, test.pool), [], 'nothing is opened');
  test.send(b, 'x');
  t.equal(test.flows.count, 2);
});

t.test('a removed listener leaves a port to another one at once', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  test.flows.listeners.remove(test.listenerPlan.id);
  const another = { ...listenerPlan([KEY]), id: 1 as ListenerId };
  const sockets = another.sockets.map((socket) => ({ ...socket, key: 60, socket: 60 }));
  await test.flows.listeners.giveWay([{ ...another, sockets }], new Set());
  t.same(test.remains(), NOTHING);
  t.equal(test.engine.sockets.size, 0);
  t.match(test.records, [{ end: { cause: 'drained' } }]);
});

t.test('with access "errors" an idle end is in order, one without a backend is not', async (t) => {
  const test = await bed();
  test.flows.access = 'errors';
  test.send(a, 'x');
  await test.pass(61_000, 1000);
  t.equal(test.records.length, 0);
  test.send(a, 'x');
  test.flows.endFlows({ backend: null, cause: 'backend-down', spanMs: 0, order: 'final' });
  t.match(test.records, [{ end: { by: 'sluice', stage: 'drain', cause: 'backend-down' } }]);
  t.same(test.remains(), NOTHING);
});
