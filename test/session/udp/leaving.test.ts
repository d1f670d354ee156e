/** What becomes of flows whose socket closes, or is another worker's again. */
import t from 'tap';
import type { ListenerId } from '../../../src/core/brand.js';
import type { ListenerPlan } from '../../../src/core/plan.js';
import { OWED_MS } from '../../../src/session/udp/hand_over.js';
import { bed, client, KEY, listenerPlan, NOTHING } from './bed.js';

const [a, b, c] = [client(1), client(2), client(3)];
/** Of a worker that is missing, at the same address as the deputy's own. */
const CHARGE = 54;

const alone = listenerPlan([KEY]);
const deputy: ListenerPlan = {
  ...alone,
  sockets: alone.sockets.flatMap((own) => [own, { ...own, key: CHARGE, socket: CHARGE }]),
};

t.test('flows of a socket that is handed over end when nothing is owed', async (t) => {
  const test = await bed({ listener: deputy });
  for (const peer of [a, b, c]) test.engine.receive(CHARGE, peer, 'question');
  test.engine.reply(a, 'answer');
  await test.flows.listeners.apply(alone, test.pool);
  t.equal(test.flows.count, 2, 'a flow that has an answer is done');
  test.engine.receive(CHARGE, a, 'for the other worker');
  t.equal(test.engine.upstream.length, 3);
  await test.pass(500);
  test.engine.reply(b, 'late answer');
  t.equal(test.flows.count, 1);
  await test.pass(OWED_MS);
  t.same(test.remains(), NOTHING);
  t.same([...test.engine.sockets.keys()], [KEY]);
  t.match(test.records, Array(3).fill({ end: { cause: 'drained' } }));
});

t.test('a worker without flows wakes to close a socket that was handed over', async (t) => {
  const test = await bed({ listener: deputy });
  test.engine.receive(CHARGE, a, 'question');
  await test.flows.listeners.apply(alone, test.pool);
  test.engine.reply(a, 'answer');
  t.same(test.remains(), NOTHING);
  const nowMs = test.time.nowMs();
  t.equal(test.flows.tick(nowMs), nowMs + OWED_MS);
  await test.pass(OWED_MS);
  t.same([...test.engine.sockets.keys()], [KEY]);
});

for (const pauseMs of [0, 500, OWED_MS - 10, OWED_MS, OWED_MS + 500]) {
  t.test(`a socket is taken over again ${pauseMs} ms after it was left`, async (t) => {
    const test = await bed({ listener: deputy });
    test.engine.receive(CHARGE, a, 'question');
    await test.flows.listeners.apply(alone, test.pool);
    await test.pass(pauseMs);
    await test.flows.listeners.apply(deputy, test.pool);
    await test.pass(OWED_MS);
    test.engine.receive(CHARGE, a, 'question');
    test.engine.reply(a, 'answer');
    t.equal(test.flows.count, 1);
    t.same([...test.engine.sockets.keys()], [KEY, CHARGE]);
    t.equal(test.engine.left.size, 0);
  });
}

t.test('a socket that another one replaces at the same place closes at once', async (t) => {
  const test = await bed({ listener: alone });
  test.send(a, 'question');
  const [own] = alone.sockets;
  const replaced = {
    ...alone,
    sockets: own === undefined ? [] : [{ ...own, key: 55, socket: 55 }],
  };
  await test.flows.listeners.apply(replaced, test.pool);
  t.same([...test.engine.sockets.keys()], [55], 'the kernel gives it no more clients');
  t.same(test.remains(), NOTHING);
});

t.test('a listener that is removed while a socket is handed over closes it', async (t) => {
  const test = await bed({ listener: deputy });
  test.engine.receive(CHARGE, a, 'question');
  await test.flows.listeners.apply(alone, test.pool);
  test.flows.listeners.remove(alone.id);
  await test.flows.listeners.giveWay([], new Set());
  t.equal(test.flows.count, 1, 'the answer is waited for');
  test.engine.reply(a, 'answer');
  await test.pass(20);
  t.same(test.remains(), NOTHING);
  t.equal(test.engine.sockets.size, 0);
});

t.test('what was held for a flow whose socket closes is counted', async (t) => {
  const test = await bed({ health: 'unproven' });
  test.send(a, 'x');
  test.send(a, 'y');
  await test.flows.listeners.apply(listenerPlan([55]), test.pool);
  t.equal(test.drops('listener-closing'), 2);
  t.same(test.remains(), NOTHING);
});

t.test('a listener that takes over a socket loses nothing that comes to it', async (t) => {
  const test = await bed();
  const heir: ListenerPlan = {
    ...alone,
    id: 3 as ListenerId,
    name: 'heir',
    sockets: alone.sockets.map((own) => ({ ...own, key: 60 })),
  };
  for (const peer of [a, b]) test.send(peer, 'question');
  test.engine.reply(a, 'answer');
  test.flows.listeners.yield(alone.id);
  test.send(c, 'meanwhile');
  t.equal(test.flows.count, 3, 'it serves until the other one is there');
  await test.flows.listeners.giveWay([heir], new Set([heir.id]));
  await test.flows.listeners.apply(heir, test.pool);
  test.flows.listeners.remove(alone.id);
  t.same([...test.engine.left], [KEY]);
  t.equal(test.flows.count, 2, 'a flow that has an answer is done');
  test.engine.receive(60, a, 'next');
  t.equal(test.flows.count, 3, 'what comes is the new one’s');
  test.engine.reply(b, 'late answer');
  await test.pass(OWED_MS);
  t.same([...test.engine.sockets.keys()], [60], 'and the old key is closed');
  t.equal(test.drops('listener-closing'), 0);
});

t.test('a socket goes back to the listener that had it, by a third key', async (t) => {
  const test = await bed();
  const plan = (id: number, key: number): ListenerPlan => ({
    ...alone,
    id: id as ListenerId,
    sockets: alone.sockets.map((own) => ({ ...own, key })),
  });
  const steps = [plan(3, 60), plan(alone.id, 61), plan(3, 62)];
  let before: ListenerPlan = alone;
  for (const [at, next] of steps.entries()) {
    test.engine.receive(before.sockets[0]?.key ?? 0, client(10 + at), 'question');
    test.flows.listeners.yield(before.id);
    await test.flows.listeners.giveWay([next], new Set([next.id]));
    await test.flows.listeners.apply(next, test.pool);
    test.flows.listeners.remove(before.id);
    await test.pass(100);
    before = next;
  }
  t.equal(test.flows.count, steps.length, 'each answer is waited for');
  for (const at of steps.keys()) test.engine.reply(client(10 + at), 'answer');
  await test.pass(OWED_MS);
  t.same([...test.engine.sockets.keys()], [62]);
  t.equal(test.flows.count, 0);
});

t.test(
  'a datagram of a flow that is over is counted at its listener, though it left',
  async (t) => {
    const test = await bed();
    test.send(a, 'question');
    test.flows.listeners.remove(alone.id);
    test.engine.reply(a, 'answer');
    await test.pass(60_020, 1000);
    t.equal(test.engine.sockets.size, 0);
    test.flows.dropped(KEY, null, 'flow-ended');
    t.equal(test.drops('flow-ended'), 1);
  },
);
