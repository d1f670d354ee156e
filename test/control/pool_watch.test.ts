import t from 'tap';
import { Inventory } from '../../src/control/inventory.js';
import { PoolWatch } from '../../src/control/pool_watch.js';
import type { BackendId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader } from '../../src/core/series.js';
import type { HealthState } from '../../src/pool/backend_rows.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { FakeTime } from '../support/fake_time.js';
import {
  backendSpec,
  Events,
  listenerSpec,
  poolSpec,
  resolved,
  spec,
  tallies,
} from './fixtures.js';

/** A ledger that counts how often code asks for a backend's health. */
class AskedLedger extends Ledger {
  asked = 0;
  override health(backend: BackendId): HealthState {
    this.asked++;
    return super.health(backend);
  }
}

function bench() {
  const ledger = new AskedLedger(createLedgerMemory());
  const series = new SeriesReader(createSeriesMemory(1));
  const inventory = new Inventory(
    { backend: (id) => ledger.resetBackend(id), listener: (id) => ledger.resetListener(id) },
    tallies(),
  );
  const pools = ['a', 'b'].map((name) =>
    poolSpec(name, { backends: [backendSpec('b1'), backendSpec('b2')] }),
  );
  inventory.apply(spec(pools, [listenerSpec('l', 'a')]), resolved);
  const time = new FakeTime();
  const log = new Events();
  const watch = new PoolWatch({
    ledger,
    series,
    inventory,
    log,
    clock: time,
    timers: time,
    isStopping: () => false,
    sessionBudget: 100,
    shareOf: () => 1,
  });
  const entry = (pool: string, name: string) => {
    const found = [...(inventory.pools.get(pool)?.backends.values() ?? [])];
    const one = found.find((backend) => backend.spec.name === name);
    if (one === undefined) throw new Error(`${pool} has ${name}`);
    return one;
  };
  for (const backend of inventory.backends()) {
    ledger.setHealth(backend.id, 'up');
    ledger.setWeight(backend.id, 1);
  }
  watch.look();
  return { ledger, watch, time, events: log.names, entry };
}

t.test('a look again asks about nothing of which nothing has changed', async (t) => {
  const { ledger, watch } = bench();
  ledger.asked = 0;
  watch.lookAgain();
  t.equal(ledger.asked, 0);
});

t.test('a change is seen by the next look, with its time, and in its pool only', async (t) => {
  const { ledger, watch, time, events, entry } = bench();
  await time.pass(5_000);
  for (const name of ['b1', 'b2']) ledger.setHealth(entry('a', name).id, 'down');
  watch.lookAgain();
  t.same(events, ['pool-down']);
  await time.pass(5_000);
  const { state, sinceWallMs } = watch.backend(entry('a', 'b1'));
  t.equal(state, 'down');
  t.equal(time.wallMs() - sinceWallMs, 5_000, 'the time is that of the look');
  ledger.setHealth(entry('a', 'b1').id, 'up');
  watch.lookAgain();
  t.same(events, ['pool-down', 'pool-recovered']);
});

t.test(
  'counts that nothing follows from are no reason to look, a cap that is met is',
  async (t) => {
    const { ledger, watch, entry } = bench();
    const { id } = entry('b', 'b1');
    ledger.watchCounts(id, 0 as WorkerId);
    ledger.asked = 0;
    ledger.tryTake(id, 0 as WorkerId);
    watch.lookAgain();
    t.equal(ledger.asked, 0);
    ledger.setCap(id, 1);
    watch.lookAgain();
    t.ok(ledger.asked > 0);
    t.equal(watch.backend(entry('b', 'b1')).state, 'full');
  },
);

t.test('where changes were lost everything is looked at', async (t) => {
  const { ledger, watch, events, entry } = bench();
  for (const name of ['b1', 'b2']) ledger.setHealth(entry('b', name).id, 'down');
  const other = entry('a', 'b1').id;
  for (let change = 0; change < 20_000; change++) ledger.setWeight(other, 1 + (change % 2));
  watch.lookAgain();
  t.same(events, ['pool-down']);
});
