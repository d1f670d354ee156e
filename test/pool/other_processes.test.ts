/** What processes have of each other's counts. */
import t from 'tap';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { countOfBackend, countOfListener } from '../../src/pool/other_processes.js';

const a = 7 as BackendId;
const listener = 5 as ListenerId;
const w0 = 0 as WorkerId;
const [atA, atListener] = [countOfBackend(a), countOfListener(listener)];

function fresh(cap: number): Ledger {
  const ledger = new Ledger(createLedgerMemory());
  ledger.setCap(a, cap);
  return ledger;
}

t.test('sessions of processes that leave count, until they end or the process does', async (t) => {
  const ledger = fresh(4);
  ledger.others.hold(0, atA, 2);
  ledger.others.hold(1, atA, 1);
  ledger.others.hold(1, atListener, 5);
  t.same([ledger.active(a), ledger.listenerActive(listener)], [3, 5]);
  t.same([ledger.others.remaining(atA), ledger.others.remaining(atListener)], [3, 5]);
  t.same([ledger.tryTake(a, w0), ledger.tryTake(a, w0)], [true, false]);
  ledger.others.hold(0, atA, 1);
  t.same([ledger.tryTake(a, w0), ledger.tryTake(a, w0)], [true, false]);
  ledger.others.forget(1);
  t.same([ledger.active(a), ledger.listenerActive(listener)], [3, 0]);
  ledger.others.forget(0);
  t.equal(ledger.active(a), 2);
  ledger.forgetWorker(w0);
  t.equal(ledger.active(a), 0);
});

t.test('more than the cap may be held, and then nothing is free', async (t) => {
  const ledger = fresh(2);
  ledger.others.hold(0, atA, 3);
  t.equal(ledger.tryTake(a, w0), false);
  ledger.others.hold(0, atA, 1);
  t.same([ledger.tryTake(a, w0), ledger.tryTake(a, w0)], [true, false]);
});

t.test('what is given away no worker here can take, and it comes back whole', async (t) => {
  const ledger = fresh(4);
  ledger.tryTake(a, w0);
  ledger.others.hold(0, atA, 1);
  ledger.others.give(atA, 3);
  t.same([ledger.others.given(atA), ledger.others.elsewhere(atA)], [1, 2]);
  t.equal(ledger.tryTake(a, w0), true, 'one was kept back');
  ledger.others.give(atA, 4);
  t.equal(ledger.tryTake(a, w0), false);
  ledger.giveBack(a, w0);
  ledger.others.give(atA, 4);
  t.equal(ledger.others.given(atA), 2);
  ledger.others.takeBack();
  t.same([ledger.active(a), ledger.others.elsewhere(atA)], [2, 1]);
});

t.test('a change is seen by followers of the row', async (t) => {
  const ledger = fresh(2);
  const reader = ledger.changes.reader();
  ledger.others.hold(0, atA, 1);
  t.equal(reader.unread, 1);
  reader.skip();
  ledger.others.hold(0, atA, 1);
  t.equal(reader.unread, 0, 'the same again is no change');
  ledger.others.give(atA, 2);
  t.equal(reader.unread, 1);
});
