/** Which backend a flow gets, and when it gets another. */
import t from 'tap';
import { policyNamed } from '../../support/policies.js';
import { backendId, bed, client, KEY, NOTHING, poolPlan, target } from './bed.js';

const a = client(1);

t.test('a flow whose backend is down chooses again with its next datagram', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  const first = test.lastTarget === target(0) ? 0 : 1;
  test.ledger.setHealth(backendId(first), 'down');
  test.send(a, 'y');
  t.equal(test.lastTarget, target(1 - first));
  t.equal(test.ledger.active(backendId(first)), 0);
  t.equal(test.at(first, 'active'), 0);
  t.equal(test.at(1 - first, 'active'), 1);
  t.equal(test.flows.count, 1, 'it is the same flow');
  await test.pass(300);
  t.equal(test.at(first, 'datagramsIn'), 1);
  t.equal(test.at(1 - first, 'datagramsIn'), 1);
  test.ledger.setHealth(backendId(first), 'up');
  test.send(a, 'z');
  t.equal(test.lastTarget, target(1 - first), 'it does not go back');
});

t.test('a flow of a removed backend, or of one drained past its time, moves', async (t) => {
  for (const reason of ['removed', 'expired'] as const) {
    const test = await bed();
    test.send(a, 'x');
    const first = test.lastTarget === target(0) ? 0 : 1;
    test.ledger.setClosed(backendId(first), reason);
    if (reason === 'removed') test.pool.update(poolPlan([1 - first]));
    test.send(a, 'y');
    t.equal(test.lastTarget, target(1 - first), reason);
  }
});

t.test('a flow of a backend with weight 0 stays', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  const first = test.lastTarget;
  test.ledger.setWeight(backendId(first === target(0) ? 0 : 1), 0);
  test.send(a, 'y');
  t.equal(test.lastTarget, first);
});

t.test(
  'a first datagram that was unreachable goes elsewhere at once, and the backend is blamed',
  async (t) => {
    const test = await bed();
    test.send(a, 'x');
    const first = test.lastTarget === target(0) ? 0 : 1;
    test.engine.icmp(a);
    t.equal(test.ledger.ejections.failuresInARow(backendId(first)), 1);
    t.equal(test.lastTarget, target(1 - first));
    t.same(
      test.engine.upstream.map(({ text }) => text),
      ['x', 'x'],
    );
    t.equal(test.drops('backend-unreachable'), 0);
    test.engine.icmp(a);
    t.equal(test.engine.upstream.length, 2, 'none is left to try');
    test.engine.icmp(a);
    t.equal(test.drops('backend-unreachable'), 2);
    test.send(a, 'z');
    t.equal(test.engine.upstream.length, 3, 'when all were tried the first ones are tried again');
    test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
    t.match(test.records, [{ tried: [`b${first}`, `b${1 - first}`] }]);
    t.same(test.remains(), NOTHING);
  },
);

t.test(
  'a later datagram that was unreachable is lost, and the next one goes elsewhere',
  async (t) => {
    const test = await bed();
    test.send(a, 'x');
    const first = test.lastTarget === target(0) ? 0 : 1;
    test.send(a, 'y');
    test.engine.icmp(a);
    t.equal(test.drops('backend-unreachable'), 1);
    t.equal(test.engine.upstream.length, 2);
    test.send(a, 'z');
    t.equal(test.lastTarget, target(1 - first));
    test.engine.reply(a, 'answer');
    test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
    t.equal(test.total('datagramsIn'), 2, 'each datagram counts once: y as dropped');
    t.same(test.remains(), NOTHING);
  },
);

t.test('a datagram that comes back when it was counted makes no counter fall', async (t) => {
  const test = await bed();
  test.send(a, 'x');
  test.send(a, 'y');
  await test.pass(1_000);
  t.equal(test.total('datagramsIn'), 2);
  test.engine.icmp(a);
  await test.pass(1_000);
  t.equal(test.total('datagramsIn'), 2);
  t.equal(test.total('bytesIn'), 2);
  for (const text of ['1', '2']) test.send(a, text);
  await test.pass(1_000);
  t.equal(test.total('datagramsIn'), 3, 'the next one is not counted in its place');
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.same(test.remains(), NOTHING);
});

t.test(
  'what comes back when its flow is over goes from what its listener counts next',
  async (t) => {
    const test = await bed();
    const end = (): void =>
      test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
    test.send(a, 'x');
    test.send(a, 'y');
    await test.pass(1_000);
    test.engine.icmp(a);
    end();
    t.equal(test.total('datagramsIn'), 2, 'it was counted, and no counter falls');
    t.match(test.records, [{ bytesIn: 1 }]);
    for (const text of ['1', '2', '3']) test.send(a, text);
    end();
    t.equal(test.total('datagramsIn'), 4, 'y counts as dropped only');
    t.equal(test.total('bytesIn'), 4);

    test.send(a, 'q');
    test.engine.reply(a, 'answer');
    end();
    test.flows.dropped(KEY, null, 'send-error', { way: 'out', bytes: 6 });
    t.equal(test.drops('send-error'), 1);
    test.send(a, 'q');
    test.engine.reply(a, 'another');
    end();
    t.equal(test.total('datagramsOut'), 1);
    t.equal(test.total('bytesOut'), 7);
  },
);

t.test('an only backend that was unreachable is used again', async (t) => {
  const test = await bed({ backends: 1 });
  test.send(a, 'x');
  test.engine.icmp(a);
  test.send(a, 'y');
  test.engine.reply(a, 'z');
  t.equal(test.engine.upstream.length, 2);
  t.equal(test.engine.downstream.length, 1);
});

t.test('a backend that answered is served, one that never did says nothing', async (t) => {
  const test = await bed({ backends: 1 });
  test.ledger.ejections.fail(backendId(0), 0, null);
  test.send(a, 'x');
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  test.ledger.ejections.fail(backendId(0), 0, null);
  t.equal(test.ledger.ejections.failuresInARow(backendId(0)), 2, 'the run of failures goes on');
  test.send(a, 'x');
  test.engine.reply(a, 'y');
  t.equal(test.ledger.ejections.failuresInARow(backendId(0)), 0, 'an answer ended it');
});

t.test('a backend without a route is passed over at once', async (t) => {
  const test = await bed({ backends: 3 });
  test.engine.failing.set(target(0), 'unreachable').set(target(1), 'refused');
  test.send(a, 'x');
  t.equal(test.lastTarget, target(2));
  test.engine.failing.set(target(2), 'unreachable');
  test.send(client(2), 'x');
  t.equal(test.drops('backend-unreachable'), 1);
  t.equal(test.flows.count, 1);
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.same(test.remains(), NOTHING);
});

t.test('without descriptors a new flow is dropped, and no backend is blamed', async (t) => {
  const test = await bed();
  test.engine.failing.set(target(0), 'no-descriptor').set(target(1), 'no-descriptor');
  test.send(a, 'x');
  t.equal(test.drops('resource-limit'), 1);
  test.engine.failing.set(target(0), 'no-source-address').set(target(1), 'no-source-address');
  test.send(client(2), 'x');
  t.equal(test.drops('no-source-address'), 1);
  t.equal(
    test.ledger.ejections.failuresInARow(backendId(0)) +
      test.ledger.ejections.failuresInARow(backendId(1)),
    0,
  );
  t.same(test.remains(), NOTHING);
});

t.test(
  'a flow that finds no other backend waits for one without a place at the old one',
  async (t) => {
    const test = await bed({ backends: 1 });
    test.send(a, 'x');
    test.ledger.setHealth(backendId(0), 'down');
    test.send(a, 'lost');
    t.equal(test.drops('all-down'), 1);
    t.equal(test.ledger.active(backendId(0)), 0);
    t.equal(test.flows.count, 1, 'an old flow is protected');
    test.ledger.setHealth(backendId(0), 'up');
    test.send(a, 'y');
    t.equal(test.engine.upstream.at(-1)?.text, 'y');
    test.ledger.setHealth(backendId(0), 'down');
    test.send(a, 'lost');
    await test.pass(61_000, 1000);
    t.match(test.records, [{ end: { cause: 'backend-down' } }]);
    t.same(test.remains(), NOTHING);
  },
);

t.test('each reason why there is no backend is counted, and no session begins', async (t) => {
  const down = await bed({ health: 'down' });
  down.send(a, 'x');
  t.equal(down.drops('all-down'), 1);
  const none = await bed({ backends: 0 });
  none.send(a, 'x');
  t.equal(none.drops('no-backend'), 1);
  const full = await bed({ backends: 1 });
  full.ledger.setCap(backendId(0), 1);
  full.send(a, 'x');
  full.send(client(2), 'x');
  t.equal(full.drops('all-full'), 1);
  for (const test of [down, none]) {
    t.same(test.remains(), NOTHING);
    t.equal(test.records.length, 0);
  }
});

t.test('a pool in panic keeps a flow at its choice for a while', async (t) => {
  const test = await bed({ health: 'down', pool: { panicPercent: 50 } });
  test.send(a, 'x');
  const first = test.lastTarget;
  test.send(a, 'y');
  t.equal(test.lastTarget, first);
  const other = first === target(0) ? 1 : 0;
  test.ledger.setHealth(backendId(other), 'up');
  await test.pass(1010);
  test.send(a, 'z');
  t.equal(test.lastTarget, target(other));
});

t.test('source-hash gives all flows of one address to one backend', async (t) => {
  const test = await bed({
    backends: 5,
    pool: { policy: policyNamed('source-hash', { balanceFactor: 0 }) },
  });
  for (let index = 0; index < 20; index++) test.send(client(index), 'x');
  t.equal(new Set(test.engine.upstream.map(({ to }) => to)).size, 1);
});

t.test('round-robin takes turns by flow, not by datagram', async (t) => {
  const test = await bed({ backends: 2, pool: { policy: { name: 'round-robin' } } });
  for (let index = 0; index < 10; index++) {
    test.send(client(index), 'x');
    test.send(client(index), 'y');
  }
  t.equal(test.at(0, 'active'), 5);
  t.equal(test.at(1, 'active'), 5);
});

t.test('flows that a drain has not ended stay when the drain is over', async (t) => {
  const test = await bed({ backends: 1 });
  for (let index = 0; index < 10; index++) test.send(client(index), 'x');
  const how = { cause: 'drained', spanMs: 1000, order: 'revocable' } as const;
  test.flows.endFlows({ backend: backendId(0), ...how });
  await test.pass(520);
  const { count } = test.flows;
  t.ok(count >= 4 && count <= 6, `${count} are left`);
  test.flows.notices.takeBack(new Set([backendId(0)]));
  await test.pass(2_000);
  t.equal(test.flows.count, count);
});

t.test('flows of one backend end over the span, the longest idle first', async (t) => {
  const test = await bed({ backends: 1 });
  for (let index = 0; index < 10; index++) {
    test.send(client(index), 'x');
    await test.pass(10);
  }
  test.flows.endFlows({
    backend: backendId(0),
    cause: 'drained',
    spanMs: 1000,
    order: 'revocable',
  });
  const counts: number[] = [];
  for (let step = 0; step < 10; step++) {
    await test.pass(100);
    counts.push(test.flows.count);
  }
  await test.pass(20);
  t.same(test.remains(), NOTHING);
  for (const [step, count] of counts.entries())
    t.ok(Math.abs(count - (9 - step)) <= 1, `${counts}`);
  const clients = test.records.map((record) => record.client);
  t.same(clients, clients.toSorted());
  t.match(test.records[0], { end: { by: 'sluice', stage: 'drain', cause: 'drained' } });
});

t.test('new flows of a held pool wait with what they hold, up to a limit', async (t) => {
  const test = await bed({ health: 'unproven' });
  const hold = (heldAtMost: number) => {
    const { settings } = test.poolPlan;
    test.pool.update({ ...test.poolPlan, settings: { ...settings, heldAtMost } });
    test.flows.rung();
  };
  test.send(client(1), 'early');
  test.send(client(2), 'early too');
  hold(3);
  for (const index of [0, 1]) test.ledger.setHealth(backendId(index), 'up');
  test.send(client(3), 'held');
  test.send(client(3), 'held too');
  test.send(client(4), 'one too many');
  t.equal(test.drops('flow-limit'), 1);
  await test.pass(120_000, 1000);
  t.equal(test.engine.upstream.length, 0, 'flows that waited for a verdict wait on');
  t.equal(test.flows.count, 3, 'neither patience nor idleness ends them');
  hold(0);
  t.same(
    test.engine.upstream.map(({ text }) => text),
    ['early', 'early too', 'held', 'held too'],
  );
  test.flows.endFlows({ backend: null, cause: 'shutdown', spanMs: 0, order: 'final' });
  t.same(test.remains(), NOTHING);
});

t.test('a flow that runs goes on in a held pool, and waits when its backend goes', async (t) => {
  const test = await bed({ backends: 1 });
  test.send(a, 'x');
  const { settings } = test.poolPlan;
  test.pool.update({ ...test.poolPlan, settings: { ...settings, heldAtMost: 3 } });
  test.send(a, 'y');
  test.ledger.setHealth(backendId(0), 'down');
  test.send(a, 'z');
  t.same(
    test.engine.upstream.map(({ text }) => text),
    ['x', 'y'],
  );
  test.ledger.setHealth(backendId(0), 'unproven');
  test.pool.update(test.poolPlan);
  test.flows.rung();
  t.equal(test.engine.upstream.length, 2, 'after the release it waits for a verdict as others do');
  await test.pass(10_000, 100);
  t.match(test.records, [{ end: { cause: 'all-down' } }]);
  t.same(test.remains(), NOTHING);
});
