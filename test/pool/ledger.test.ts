import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedInvariantError } from '../../src/core/assert.js';
import type { BackendId, ListenerId, PoolId, WorkerId } from '../../src/core/brand.js';
import { CLOSED_BECAUSE } from '../../src/pool/backend_rows.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import type { HammerReport, HammerStart } from './hammer.js';

const [a, b] = [0 as BackendId, 1 as BackendId];
const [listener, pool] = [0 as ListenerId, 0 as PoolId];
const [w0, w1, w63] = [0 as WorkerId, 1 as WorkerId, 63 as WorkerId];

const fresh = (): Ledger => new Ledger(createLedgerMemory());

t.test('a cap of three means three, and never four; no cap means any number', async (t) => {
  const ledger = fresh();
  ledger.setCap(a, 3);
  t.same(
    [1, 2, 3, 4].map(() => ledger.tryTake(a, w0)),
    [true, true, true, false],
  );
  ledger.giveBack(a, w0);
  t.ok(ledger.tryTake(a, w1));
  t.notOk(ledger.tryTake(a, w0));
  for (let n = 0; n < 1000; n++) t.ok(ledger.tryTake(b, w0));
  t.same([ledger.active(a), ledger.active(b)], [3, 1000]);
});

t.test('two threads that hammer one backend never pass its cap and end at zero', async (t) => {
  const memory = createLedgerMemory();
  const ledger = new Ledger(memory);
  const gate = new SharedArrayBuffer(8);
  ledger.setCap(a, 3);
  const reports = await Promise.all(
    [0, 1].map(async (worker) => {
      const start: HammerStart = { memory, gate, threads: 2, worker, rounds: 200_000, cap: 1 };
      const thread = new Worker(new URL('./hammer.js', import.meta.url), { workerData: start });
      const [report] = (await once(thread, 'message')) as [HammerReport];
      return report;
    }),
  );
  t.ok(reports.every(({ taken }) => taken > 1000));
  t.ok(
    reports.some(({ refused }) => refused > 0),
    'the threads met at the cap',
  );
  t.ok(Math.max(...reports.map(({ most }) => most)) <= 3);
  t.same([ledger.active(a), ledger.listenerActive(listener), ledger.queued(pool)], [0, 0, 0]);
  t.same([ledger.sessionsOf(w0), ledger.sessionsOf(w1)], [0, 0]);
});

t.test('a count that would fall below zero is a broken invariant', async (t) => {
  const ledger = fresh();
  ledger.tryTake(a, w1);
  ledger.tryTakeListener(listener, 1, w1);
  ledger.tryEnqueue(pool, 1, w1);
  for (const giveBack of [
    () => ledger.giveBack(a, w0),
    () => ledger.giveBackListener(listener, w0),
    () => ledger.dequeue(pool, w0),
  ]) {
    t.ok(thrownBy(giveBack) instanceof SharedInvariantError);
  }
  ledger.forgetWorker(w0);
  const counts = [ledger.active(a), ledger.listenerActive(listener), ledger.queued(pool)];
  t.same(counts, [1, 1, 1], 'what other workers have still counts');
});

t.test('states are read as they were written, and reasons do not touch each other', async (t) => {
  const ledger = fresh();
  t.equal(ledger.health(a), 'unproven');
  for (const state of ['up', 'down', 'unproven'] as const) {
    ledger.setHealth(a, state);
    t.equal(ledger.health(a), state);
  }
  ledger.setClosed(a, 'ejected');
  ledger.setClosed(a, 'removed');
  ledger.clearClosed(a, 'ejected');
  t.equal(ledger.closed(a), CLOSED_BECAUSE.removed);
  t.equal(ledger.closed(b), 0);
});

t.test('weights keep three digits; one above zero never becomes zero', async (t) => {
  const ledger = fresh();
  for (const weight of [0, 1, 0.5, 1000, 12.345]) {
    ledger.setWeight(a, weight);
    t.equal(ledger.weight(a), weight);
  }
  ledger.setWeight(a, 0.000_01);
  t.equal(ledger.weight(a), 0.001);
});

t.test('a row is used again only when nothing counts on it, and is all new then', async (t) => {
  const ledger = fresh();
  ledger.setCap(a, 5);
  ledger.setHealth(a, 'up');
  ledger.setClosed(a, 'removed');
  ledger.ejections.fail(a, 0, null);
  ledger.tryTake(a, w0);
  t.throws(() => ledger.resetBackend(a), { message: /used again/ });
  ledger.giveBack(a, w0);
  ledger.resetBackend(a);
  t.same(
    [ledger.cap(a), ledger.health(a), ledger.closed(a), ledger.ejections.failuresInARow(a)],
    [0, 'unproven', 0, 0],
  );
  ledger.tryTakeListener(listener, 1, w0);
  t.throws(() => ledger.resetListener(listener), { message: /used again/ });
});

t.test('a lost worker gives back exactly what it had counted', async (t) => {
  const ledger = fresh();
  for (const worker of [w0, w0, w1]) {
    ledger.tryTake(a, worker);
    ledger.tryTakeListener(listener, 10, worker);
    ledger.setHead(pool, worker, ledger.tryEnqueue(pool, 10, worker));
    ledger.setListenerWaiting(listener, worker, 'waiting');
  }
  t.equal(ledger.sessionsOf(w0), 2);
  ledger.forgetWorker(w0);
  t.same([ledger.active(a), ledger.listenerActive(listener), ledger.queued(pool)], [1, 1, 1]);
  t.equal(ledger.longestWaiting(pool, 2), 1);
  t.same(
    [w0, w1].map((worker) => ledger.listenerWaiting(listener, worker)),
    [false, true],
  );
  ledger.forgetWorker(w0);
  t.equal(ledger.active(a), 1, 'a second time nothing is left to give back');
});

t.test('workers that wait for room at a listener are marked one by one', async (t) => {
  const ledger = fresh();
  t.notOk(ledger.anyListenerWaiting(listener));
  for (const worker of [w1, w63]) ledger.setListenerWaiting(listener, worker, 'waiting');
  t.same(
    [w0, w1, w63].map((worker) => ledger.listenerWaiting(listener, worker)),
    [false, true, true],
  );
  ledger.setListenerWaiting(listener, w1, 'accepting');
  t.ok(ledger.anyListenerWaiting(listener));
  ledger.setListenerWaiting(listener, w63, 'accepting');
  t.notOk(ledger.anyListenerWaiting(listener));
});

t.test('the oldest ticket wins, also when the numbers wrap', async (t) => {
  const ledger = fresh();
  t.equal(ledger.longestWaiting(pool, 2), -1);
  ledger.setHead(pool, w0, 8);
  ledger.setHead(pool, w1, 7);
  t.equal(ledger.longestWaiting(pool, 2), 1);
  ledger.setHead(pool, w0, 0x7fff_ffff);
  ledger.setHead(pool, w1, -0x8000_0000);
  t.equal(ledger.longestWaiting(pool, 2), 0);
});

t.test('a queue takes as many as its size, and no ticket is 0', async (t) => {
  const ledger = fresh();
  const tickets = [1, 2, 3].map(() => ledger.tryEnqueue(pool, 2, w0));
  t.same(tickets, [1, 2, 0]);
});

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
