import t from 'tap';
import { present } from '../../../src/core/assert.js';
import type { PoolId } from '../../../src/core/brand.js';
import { backendId, bed, client, LISTENER, NOTHING, POOL, target } from './bed.js';

t.test(
  'while nothing is proven, sessions wait for the first verdict, and all go then',
  async (t) => {
    const test = await bed({ health: 'unproven' });
    const pairs = [test.accept(), test.accept(), test.accept()];
    await test.pass(1000, 100);
    t.same(
      pairs.map((pair) => test.state(pair)),
      Array(3).fill('idle -'),
    );
    test.ledger.setHealth(backendId(1), 'up');
    test.worker(0).ring();
    test.turn();
    t.same(
      pairs.map((pair) => test.state(pair)),
      Array(3).fill(`dialling ${target(1)}`),
    );
  },
);

t.test(
  'a first verdict that says no refuses sessions that wait, once the last backend has it',
  async (t) => {
    const test = await bed({ health: 'unproven' });
    test.accept();
    test.ledger.setHealth(backendId(0), 'down');
    test.worker(0).ring();
    test.turn();
    t.same(test.causes, []);
    test.ledger.setHealth(backendId(1), 'down');
    test.worker(0).ring();
    test.turn();
    t.match(test.records, [{ end: { by: 'sluice', stage: 'select', cause: 'all-down' } }]);
    t.same(test.remains(), NOTHING);
  },
);

t.test('a wait for the first verdict ends with the connect timeout', async (t) => {
  const test = await bed({ health: 'unproven', pool: { connectTimeoutMs: 300 } });
  test.accept();
  await test.pass(290);
  t.same(test.causes, []);
  await test.pass(20);
  t.same(test.causes, ['all-down']);
  t.same(test.remains(), NOTHING);
});

t.test('one that has tried a backend in vain does not keep others from it', async (t) => {
  const test = await bed({ backends: 2, health: 'unproven' });
  const [a, b] = [backendId(0), backendId(1)];
  test.ledger.setHealth(a, 'up');
  const tried = test.accept();
  test.worker(0).tcp.dialFails(tried, 'refused');
  t.equal(test.state(tried), 'idle -', 'it waits for the verdict about the other');
  test.ledger.setHealth(a, 'unproven');
  const fresh = test.accept();
  test.ledger.setHealth(a, 'up');
  test.worker(0).ring();
  test.turn();
  t.equal(test.state(fresh), `dialling ${target(0)}`);
  t.equal(test.state(tried), 'idle -');
  test.ledger.setHealth(b, 'up');
  test.worker(0).ring();
  test.turn();
  t.equal(test.state(tried), `dialling ${target(1)}`);
});

t.test('when all are full, sessions queue and are served first come, first served', async (t) => {
  const test = await bed({ backends: 1, pool: { queueSize: 3 } });
  test.ledger.setCap(backendId(0), 1);
  let serving = test.relay();
  const waiting = [test.accept(), test.accept(), test.accept()];
  t.equal(test.ledger.queued(POOL), 3);
  for (const next of waiting) {
    await test.pass(100);
    test.worker(0).tcp.ends(serving, { kind: 'finished', first: 'client' });
    t.equal(test.state(next), `dialling ${target(0)}`);
    t.equal(test.ledger.active(backendId(0)), 1);
    test.worker(0).tcp.dialSucceeds(next);
    serving = next;
  }
  test.worker(0).tcp.ends(serving, { kind: 'finished', first: 'client' });
  t.same(
    test.records.map(({ queueMs }) => queueMs),
    [null, 100, 200, 300],
  );
  t.same(test.remains(), NOTHING);
});

t.test('the order of the queue holds over two workers', async (t) => {
  const test = await bed({ workers: 2, backends: 1, pool: { queueSize: 6 } });
  test.ledger.setCap(backendId(0), 1);
  let serving = { pair: test.relay(0), worker: 0 };
  const waiting = [1, 0, 0, 1, 1, 0].map((worker) => ({ pair: test.accept(worker), worker }));
  for (const next of waiting) {
    test.worker(serving.worker).tcp.ends(serving.pair, { kind: 'finished', first: 'client' });
    test.turn();
    t.equal(test.state(next.pair, next.worker), `dialling ${target(0)}`);
    test.worker(next.worker).tcp.dialSucceeds(next.pair);
    serving = next;
  }
  t.equal(test.ledger.queued(POOL), 0);
});

t.test('no client overtakes the queue, not even when a place is free', async (t) => {
  const test = await bed({ workers: 2, backends: 1, pool: { queueSize: 6 } });
  test.ledger.setCap(backendId(0), 1);
  test.relay(0);
  const first = test.accept(1);
  test.ledger.setCap(backendId(0), 2);
  const second = present(
    test.worker(0).tcp.connect(5432, client(99)),
    'the client waits in the backlog',
  );
  t.equal(test.state(second), 'idle -');
  test.turn();
  t.equal(test.state(first, 1), `dialling ${target(0)}`);
  t.equal(test.state(second), 'idle -');
});

t.test('a client that finds the queue full is refused', async (t) => {
  const test = await bed({ workers: 2, backends: 1, pool: { queueSize: 2 } });
  test.ledger.setCap(backendId(0), 1);
  test.relay();
  for (const worker of [0, 1, 1]) test.accept(worker);
  t.match(test.records, [{ end: { by: 'sluice', stage: 'queue', cause: 'queue-full' } }]);
  t.equal(test.ledger.queued(POOL), 2);
});

t.test('a wait too long for the queue timeout is refused, and says how long', async (t) => {
  const test = await bed({ backends: 1, pool: { queueSize: 2, queueTimeoutMs: 500 } });
  test.ledger.setCap(backendId(0), 1);
  const serving = test.relay();
  test.accept();
  await test.pass(490);
  t.equal(test.ledger.queued(POOL), 1);
  await test.pass(20);
  t.same(test.causes, ['queue-timeout']);
  t.ok((test.records[0]?.queueMs ?? 0) >= 500);
  test.worker(0).tcp.ends(serving, { kind: 'finished', first: 'client' });
  t.same(test.remains(), NOTHING);
});

t.test(
  'a place that is free at a tried backend only is for the next, not for its head',
  async (t) => {
    const test = await bed({ backends: 1, pool: { queueSize: 5 } });
    const { tcp } = test.worker(0);
    test.ledger.setCap(backendId(0), 2);
    const unlucky = test.accept();
    test.ledger.setCap(backendId(0), 1);
    // Its own place is free again at the failure, and taken by the next before it looks.
    const other = test.accept();
    t.equal(test.state(other), 'idle -');
    tcp.dialFails(unlucky, 'refused');
    test.turn();
    t.equal(test.state(other), `dialling ${target(0)}`);
    t.same(test.causes, ['dial-failed'], 'there is no other backend to wait for');
  },
);

t.test('none waits behind one for which none of the free places is, in any worker', async (t) => {
  for (const worker of [0, 1]) {
    const test = await bed({ workers: 2, backends: 2, pool: { queueSize: 9 } });
    const [a, b] = [backendId(0), backendId(1)];
    test.ledger.setCap(b, 1);
    test.ledger.setWeight(a, 0);
    const holder = test.relay(1 - worker);
    test.ledger.setWeight(a, 1);
    const unlucky = test.accept(worker);
    test.worker(worker).tcp.dialFails(unlucky, 'refused');
    t.equal(test.state(unlucky, worker), 'idle -', 'it has tried a, and b is full');
    test.ledger.setCap(a, 2);
    for (const other of [0, 1]) {
      t.equal(test.state(test.accept(other), other), `dialling ${target(0)}`);
    }
    t.equal(test.state(unlucky, worker), 'idle -');
    // Now that a is full too, it keeps its age: the place at b is the oldest waiter's.
    const late = test.accept(1 - worker);
    t.equal(test.state(late, 1 - worker), 'idle -');
    test.worker(1 - worker).tcp.ends(holder, { kind: 'finished', first: 'client' });
    test.turn();
    t.equal(test.state(unlucky, worker), `dialling ${target(1)}`);
    t.equal(test.state(late, 1 - worker), 'idle -');
  }
});

t.test('a waiter that stands aside is woken by a place that is freed elsewhere', async (t) => {
  const test = await bed({ workers: 2, backends: 2, pool: { queueSize: 1 } });
  const [a, b] = [backendId(0), backendId(1)];
  test.ledger.setCap(b, 1);
  test.ledger.setWeight(a, 0);
  const holder = test.relay(0);
  test.ledger.setWeight(a, 1);
  const unlucky = test.accept(1);
  test.worker(1).tcp.dialFails(unlucky, 'refused');
  t.equal(test.state(test.accept(0)), `dialling ${target(0)}`, 'a queue that is full is no bar');
  t.equal(test.ledger.queued(POOL), 1);
  test.worker(0).tcp.ends(holder, { kind: 'finished', first: 'client' });
  test.turn();
  t.equal(test.state(unlucky, 1), `dialling ${target(1)}`);
});

t.test(
  'a session that waits for a verdict on its last untried backend holds up no other',
  async (t) => {
    const test = await bed({ backends: 3, pool: { queueSize: 9 } });
    const [a, b, c] = [backendId(0), backendId(1), backendId(2)];
    test.ledger.setCap(b, 1);
    for (const id of [a, c]) test.ledger.setWeight(id, 0);
    const holder = test.relay();
    for (const id of [a, c]) test.ledger.setWeight(id, 1);
    test.ledger.setHealth(c, 'unproven');
    const unlucky = test.accept();
    test.worker(0).tcp.dialFails(unlucky, 'refused');
    t.equal(test.ledger.queued(POOL), 1);
    test.ledger.setWeight(b, 0);
    const next = test.accept();
    t.equal(test.state(next), `dialling ${target(0)}`);
    test.ledger.setHealth(c, 'up');
    test.worker(0).ring();
    test.turn();
    t.equal(test.state(unlucky), `dialling ${target(2)}`);
    t.equal(test.state(holder), `relaying ${target(1)}`);
  },
);

t.test('a waiter whose untried backends are gone does not block the queue', async (t) => {
  const test = await bed({ backends: 2, pool: { queueSize: 5 } });
  const { tcp } = test.worker(0);
  for (const index of [0, 1]) test.ledger.setCap(backendId(index), 1);
  const first = test.accept();
  const second = test.accept();
  const third = test.accept();
  const at = tcp.pair(first).target === target(0) ? 0 : 1;
  tcp.dialFails(first, 'refused');
  test.turn();
  t.equal(test.state(third), `dialling ${target(at)}`);
  t.equal(test.state(first), 'idle -', 'it waits for the other backend');
  const fourth = test.accept();
  test.ledger.setHealth(backendId(1 - at), 'down');
  tcp.ends(third, { kind: 'client-gone' });
  test.turn();
  t.same(test.causes, ['client-gone', 'dial-failed']);
  t.equal(test.state(fourth), `dialling ${target(at)}`);
  t.match(test.state(second), /^dialling/);
});

t.test(
  'a session that waits chooses again where a reload leads its listener, and what it waited counts',
  async (t) => {
    const test = await bed({ backends: 2, pool: { queueSize: 5 } });
    const [a, b] = test.pool({}).backends.map((backend) => [backend]);
    await test.apply({ pools: [test.pool({ backends: a ?? [] })] });
    test.ledger.setCap(backendId(0), 1);
    const serving = test.relay();
    const waiting = test.accept();
    await test.pass(300, 100);
    const other = { ...test.pool({ backends: b ?? [] }), id: 1 as PoolId, name: 'other' };
    await test.apply({
      pools: [test.pool({}), other],
      listeners: [test.listener({ pool: other.id })],
    });
    t.equal(test.state(waiting), `dialling ${target(1)}`);
    t.equal(test.ledger.queued(POOL), 0);
    const fresh = test.accept();
    t.equal(test.state(fresh), `dialling ${target(1)}`);
    for (const pair of [waiting, fresh]) test.worker(0).tcp.dialSucceeds(pair);
    test.worker(0).tcp.ends(waiting, { kind: 'finished', first: 'client' });
    t.match(test.records, [{ queueMs: 300, pool: 'other' }]);
    t.equal(test.state(serving), `relaying ${target(0)}`, 'a session that runs stays');
    t.equal(test.ledger.listenerActive(LISTENER), 2);
  },
);

t.test('a reload that shortens the queue timeout holds for those that wait already', async (t) => {
  const test = await bed({ backends: 1, pool: { queueSize: 5, queueTimeoutMs: 60_000 } });
  test.ledger.setCap(backendId(0), 1);
  test.relay();
  test.accept();
  await test.pass(300, 100);
  await test.apply({ pools: [test.pool({ queueTimeoutMs: 500 })] });
  await test.pass(100, 100);
  t.same(test.causes, []);
  await test.pass(300, 100);
  t.same(test.causes, ['queue-timeout']);
});

t.test('a wait for a first verdict ends in a choice where the listener leads', async (t) => {
  const test = await bed({ backends: 2, health: 'unproven' });
  const [a, b] = test.pool({}).backends.map((backend) => [backend]);
  await test.apply({ pools: [test.pool({ backends: a ?? [] })] });
  const waiting = test.accept();
  test.ledger.setHealth(backendId(1), 'up');
  const other = { ...test.pool({ backends: b ?? [] }), id: 1 as PoolId, name: 'other' };
  await test.apply({
    pools: [test.pool({}), other],
    listeners: [test.listener({ pool: other.id })],
  });
  t.equal(test.state(waiting), `dialling ${target(1)}`);
});

t.test('when a pool goes, its waiting sessions are refused, whatever gets its row', async (t) => {
  for (const health of ['up', 'unproven'] as const) {
    const test = await bed({ backends: 1, health, pool: { queueSize: 5 } });
    test.ledger.setCap(backendId(0), 1);
    if (health === 'up') test.relay();
    test.accept();
    await test.apply({ listeners: [], pools: [] });
    t.same(test.causes, ['no-backend']);
    t.equal(test.ledger.queued(POOL), 0);
  }
});

t.test(
  'while a pool is held new sessions wait, in every worker, and then go in order',
  async (t) => {
    const test = await bed({ workers: 2, backends: 2 });
    const running = test.relay(0);
    await test.apply({ pools: [test.pool({ heldAtMost: 3 })] });
    const waiting = [1, 0, 1].map((worker) => [test.accept(worker), worker] as const);
    test.accept(0);
    t.match(test.records, [{ end: { stage: 'queue', cause: 'queue-full' } }], 'at most the limit');
    await test.pass(30_000, 1000);
    for (const [pair, worker] of waiting) t.equal(test.state(pair, worker), 'idle -');
    t.equal(test.state(running), `relaying ${target(0)}`, 'what runs goes on');
    t.equal(test.records.length, 1, 'queue_timeout stands still');
    test.worker(0).tcp.ends(running, { kind: 'finished', first: 'client' });
    test.turn();
    t.equal(test.ledger.queued(POOL), 3, 'a free place is not given yet');
    await test.apply({ pools: [test.pool({ heldAtMost: 0 })] });
    for (const [pair, worker] of waiting) t.match(test.state(pair, worker), /^dialling/);
    t.equal(test.ledger.queued(POOL), 0);
  },
);

t.test('at the end of a hold queue_timeout begins anew for all that wait', async (t) => {
  const test = await bed({ backends: 1, pool: { queueSize: 5, queueTimeoutMs: 500 } });
  test.ledger.setCap(backendId(0), 1);
  test.relay();
  test.accept();
  await test.pass(300, 100);
  await test.apply({ pools: [test.pool({ heldAtMost: 9 })] });
  test.accept();
  await test.pass(5_000, 100);
  // A plan that changes something else meanwhile.
  await test.apply({ pools: [test.pool({ retries: 1 })] });
  await test.pass(5_000, 100);
  await test.apply({ pools: [test.pool({ heldAtMost: 0 })] });
  await test.pass(450, 50);
  t.same(test.causes, []);
  await test.pass(100, 50);
  t.same(test.causes, ['queue-timeout', 'queue-timeout']);
});

t.test(
  'after a hold each worker serves its own, in order, as far as there are places',
  async (t) => {
    const test = await bed({ workers: 2, backends: 1, pool: { queueSize: 5 } });
    await test.apply({ pools: [test.pool({ heldAtMost: 9 })] });
    test.ledger.setCap(backendId(0), 3);
    const waiting = [0, 1, 0, 1, 0].map((worker) => [test.accept(worker), worker] as const);
    await test.apply({ pools: [test.pool({ heldAtMost: 0 })] });
    const dialled = waiting.map(([pair, worker]) => test.state(pair, worker) !== 'idle -');
    t.equal(dialled.filter(Boolean).length, 3, 'every place is taken, and no more');
    t.equal(test.ledger.queued(POOL), 2);
  },
);

t.test('a hold takes over sessions without a verdict and those with a failed dial', async (t) => {
  const test = await bed({ backends: 2 });
  const unlucky = test.accept();
  test.ledger.setHealth(backendId(0), 'unproven');
  test.ledger.setHealth(backendId(1), 'unproven');
  const early = test.accept();
  await test.apply({ pools: [test.pool({ heldAtMost: 9 })] });
  test.worker(0).tcp.dialFails(unlucky, 'refused');
  test.turn();
  await test.pass(60_000, 1000);
  t.same([test.state(unlucky), test.state(early)], ['idle -', 'idle -']);
  t.equal(test.ledger.queued(POOL), 2);
  test.ledger.setHealth(backendId(1), 'up');
  await test.apply({ pools: [test.pool({ heldAtMost: 0 })] });
  t.same(
    [test.state(unlucky), test.state(early)],
    [target(1), target(1)].map((b) => `dialling ${b}`),
  );
});
