import t from 'tap';
import { Drains } from '../../src/control/drains.js';
import type { WorkerId } from '../../src/core/brand.js';
import { CLOSED_BECAUSE } from '../../src/pool/backend_rows.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { inventory, poolSpec, resolved, spec } from './fixtures.js';

const WORKER = 0 as WorkerId;

function setUp() {
  const ledger = new Ledger(createLedgerMemory());
  const all = inventory();
  const pool = poolSpec('pg', { drainTimeoutMs: 10_000, drainSpreadMs: 2000 });
  const [entry] = all.apply(spec([pool]), resolved).arrived;
  if (entry === undefined) throw new Error('a backend arrives');
  const told: string[] = [];
  const drains = new Drains(ledger, {
    close: ({ key }, spanMs) => told.push(`close ${key} ${spanMs}`),
    spare: ({ key }, stage) => told.push(`spare ${key} ${stage}`),
    empty: ({ key }) => told.push(`empty ${key}`),
  });
  return { ledger, entry, drains, told };
}

t.test(
  'sessions run on for the time, then what is left is closed over the span, once',
  async (t) => {
    const { ledger, entry, drains, told } = setUp();
    ledger.tryTake(entry.id, WORKER);
    drains.begin(entry, 'removed', 0);
    t.equal(ledger.closed(entry.id), CLOSED_BECAUSE.removed);
    drains.look(9_999);
    t.same(told, []);
    drains.look(10_000);
    drains.look(20_000);
    t.same(told, [`close ${entry.key} 2000`]);
    t.equal(ledger.closed(entry.id), CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired);
    t.ok(drains.has(entry));
    ledger.giveBack(entry.id, WORKER);
    drains.look(20_100);
    t.same(told.slice(1), [`empty ${entry.key}`]);
    t.notOk(drains.has(entry));
  },
);

t.test(
  'a backend without sessions is done, but not before late reservations are seen',
  async (t) => {
    const { entry, drains, told } = setUp();
    drains.begin(entry, 'removed', 0);
    drains.look(900);
    t.same(told, []);
    drains.look(1_000);
    drains.look(2_000);
    t.same(told, [`empty ${entry.key}`]);
  },
);

t.test('one that is in the file again is open again, however far its drain was', async (t) => {
  for (const untilMs of [500, 15_000]) {
    const { ledger, entry, drains, told } = setUp();
    ledger.tryTake(entry.id, WORKER);
    drains.begin(entry, 'removed', 0);
    drains.look(untilMs);
    drains.cancel(entry);
    t.equal(ledger.closed(entry.id), 0);
    t.equal(told.at(-1), `spare ${entry.key} ${untilMs < 10_000 ? 'running-on' : 'closing'}`);
    told.length = 0;
    ledger.giveBack(entry.id, WORKER);
    drains.look(60_000);
    t.same(told, []);
  }
});
