import t from 'tap';
import { Ejections } from '../../src/control/ejections.js';
import { PlanAcks } from '../../src/control/plan_acks.js';
import { Rows } from '../../src/control/registry.js';
import { sessionLimit, workerCount } from '../../src/control/sizing.js';
import { withRemedy } from '../../src/control/start_remedy.js';
import type { BackendId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader } from '../../src/core/series.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import {
  backendSpec,
  Events,
  inventory,
  NO_COUNTERS,
  poolSpec,
  resolved,
  spec,
} from './fixtures.js';

t.test('a plan is reached when the last worker has applied it, or a newer one', async (t) => {
  const acks = new PlanAcks(2);
  const order: string[] = [];
  const first = acks.reached(1).then(() => order.push('first'));
  const second = acks.reached(2).then(() => order.push('second'));
  acks.acknowledge(0 as WorkerId, 2);
  await Promise.resolve();
  t.same(order, []);
  acks.acknowledge(1 as WorkerId, 1);
  await first;
  t.same(order, ['first']);
  acks.acknowledge(1 as WorkerId, 3);
  await second;
  await acks.reached(2);
});

t.test('nothing waits for a worker without a thread; its next one is waited for', async (t) => {
  const [w0, w1] = [0 as WorkerId, 1 as WorkerId];
  const acks = new PlanAcks(2);
  const first = acks.reached(1);
  acks.acknowledge(w0, 1);
  acks.leaves(w1);
  await first;
  acks.acknowledge(w1, 1);
  t.equal(acks.isHere(w1), false, 'what it said before it ended comes too late');
  acks.joins(w1);
  let state = 'waits';
  const second = acks.reached(1).then(() => {
    state = 'reached';
  });
  await Promise.resolve();
  t.equal(state, 'waits');
  acks.acknowledge(w1, 1);
  await second;
  for (const worker of [w0, w1]) acks.leaves(worker);
  await acks.reached(2);
});

t.test('rows stay with their keys; a released one is used again', async (t) => {
  const rows = new Rows<BackendId>(2);
  const fresh: number[] = [];
  const take = (key: string): number => rows.take(key, (id) => fresh.push(id));
  t.same([take('a'), take('b'), take('a')], [0, 1, 0]);
  t.throws(() => take('c'), { message: /no free row/ });
  rows.release('a');
  rows.release('a');
  t.same([take('c'), rows.get('a')], [0, undefined]);
  t.same(fresh, [0, 1, 0]);
  t.throws(() => take('d'), { message: /no free row/ }, 'a row is released once');
});

t.test('a refusal of the machine comes with what helps', async (t) => {
  const helps = (sentence: string): string => withRemedy(sentence).slice(sentence.length);
  t.match(helps('ENOENT: no such file or directory, uv_cwd (ENOENT)'), /^; the working directory/);
  for (const errno of ['EPROTOTYPE', 'EAGAIN', 'EACCES']) {
    t.match(helps(`a socket is there, and connecting says ${errno}`), /ss -xlp/, errno);
  }
  const thread = 'Worker initialization failure:';
  t.match(helps(`${thread} EPERM (ERR_WORKER_INIT_FAILED)`), /seccomp/);
  t.match(helps(`${thread} EAGAIN (ERR_WORKER_INIT_FAILED)`), /ulimit -u/);
});

t.test('max_sessions = 0 is what the descriptors allow', async (t) => {
  t.equal(sessionLimit(0, 384), 384);
  t.equal(sessionLimit(5, 384), 5);
});

t.test(
  'workers are as many as configured or as there are cores, one without sharing',
  async (t) => {
    t.equal(workerCount('auto', 8, 'possible'), 8);
    t.equal(workerCount(3, 8, 'possible'), 3);
    t.equal(workerCount(3, 8, 'impossible'), 1);
    t.equal(workerCount(1000, 8, 'possible'), 64);
  },
);

t.test('a backend that leaves while ejected is not ejected when it returns', async (t) => {
  const ledger = new Ledger(createLedgerMemory());
  const all = inventory();
  const outlier = {
    consecutiveFailures: 3,
    intervalMs: 1000,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectedPercent: 50,
    dryRun: false,
    latencyFactor: 0,
  };
  const [b1, b2] = [backendSpec('b1'), backendSpec('b2')];
  const file = (backends: (typeof b1)[]) => spec([poolSpec('pg', { outlier, backends })]);
  const [bad] = all.apply(file([b1, b2]), resolved).arrived;
  if (bad === undefined) throw new Error('a backend arrives');
  for (const { id } of all.backends()) {
    ledger.setHealth(id, 'up');
    ledger.setWeight(id, 1);
  }
  const ejections = new Ejections({
    ledger,
    inventory: all,
    series: new SeriesReader(createSeriesMemory(1)),
    counters: NO_COUNTERS,
    log: new Events(),
  });
  ejections.update(all);
  for (let n = 0; n < 3; n++) ledger.ejections.fail(bad.id, 0, outlier);
  t.match(ejections.look(0), [{ entry: bad, returned: false }]);
  all.apply(file([b2]), resolved);
  ejections.update(all);
  ejections.look(100);
  all.apply(file([b1, b2]), resolved);
  ejections.update(all);
  ejections.look(200);
  t.equal(ledger.closed(bad.id), 0);
});
