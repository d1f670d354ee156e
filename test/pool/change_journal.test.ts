/** The journal of changes: nothing is missed, in whatever order threads write and read. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import {
  ChangeJournal,
  type ChangeReader,
  EVERY_ROW,
  isCountOnly,
  journalCells,
  rowIn,
} from '../../src/pool/change_journal.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import type { ChangeStart } from './change_hammer.js';

const SLOTS = 2 ** 14;
const a = 7 as BackendId;

function read(reader: ChangeReader): number[] {
  return Array.from({ length: reader.unread }, () => reader.next());
}

/** Cells as they are after `head` entries. */
function cellsAt(head: number): Int32Array {
  const cells = new Int32Array(new SharedArrayBuffer(journalCells(14) * 4));
  cells[0] = head | 0;
  cells[1] = Math.floor(head / 2 ** 31);
  for (let slot = 0; slot < SLOTS; slot++) {
    const laps = Math.floor((head - slot + SLOTS - 1) / SLOTS);
    cells[16 + slot] = (laps & 0xffff) << 16;
  }
  return cells;
}

t.test('each reader reads each change once, in order', async (t) => {
  const journal = new ChangeJournal(cellsAt(0));
  const early = journal.reader();
  for (const row of [3, 1, 3]) journal.note(row as BackendId);
  const late = journal.reader();
  journal.noteAll();
  t.same(read(early), [3, 1, 3, EVERY_ROW]);
  t.same(read(late), [EVERY_ROW]);
  t.equal(early.unread, 0);
});

t.test('what is but a count is distinguished from what else may follow', async (t) => {
  const journal = new ChangeJournal(cellsAt(0));
  const reader = journal.reader();
  journal.noteCount(a);
  journal.note(a);
  journal.noteAll();
  const entries = read(reader);
  t.same(entries.map(isCountOnly), [true, false, false]);
  t.same(entries.slice(0, 2).map(rowIn), [a, a]);
});

t.test('numbers wrap without a loss, at a lap, at 2^31 and at 2^32', async (t) => {
  for (const end of [SLOTS, 2 ** 30, 2 ** 31, 2 ** 32]) {
    const journal = new ChangeJournal(cellsAt(end - 2));
    const reader = journal.reader();
    for (let row = 0; row < 5; row++) journal.note(row as BackendId);
    t.same(read(reader), [0, 1, 2, 3, 4], `around ${end}`);
    journal.note(a);
    t.same(read(reader), [a]);
  }
});

t.test('a reader too far behind for the room learns that, and begins anew', async (t) => {
  const journal = new ChangeJournal(cellsAt(0));
  const reader = journal.reader();
  for (let n = 0; n < SLOTS; n++) journal.note(a);
  t.equal(reader.unread, SLOTS);
  journal.note(a);
  t.equal(reader.unread, Number.POSITIVE_INFINITY);
  t.equal(reader.next(), EVERY_ROW, 'what it wants to read is overwritten');
  reader.skip();
  journal.note(a);
  t.same(read(reader), [a]);
});

t.test('a whole round of the numbers is not taken for nothing', async (t) => {
  const cells = cellsAt(5);
  const reader = new ChangeJournal(cells).reader();
  t.equal(reader.unread, 0);
  cells[1] = 2;
  t.equal(reader.unread, Number.POSITIVE_INFINITY);
});

t.test('a thread that ended before it moved the head stops no other', async (t) => {
  const cells = cellsAt(0);
  const journal = new ChangeJournal(cells);
  const reader = journal.reader();
  journal.note(1 as BackendId);
  cells[0] = 0;
  t.same(read(reader), [], 'it is not seen yet');
  journal.note(2 as BackendId);
  t.same(read(reader), [1, 2]);
});

t.test('the ledger notes what changes whether a backend may be chosen, and no more', async (t) => {
  const ledger = new Ledger(createLedgerMemory());
  const reader = ledger.changes.reader();
  const w0 = 0 as WorkerId;
  const changes = (act: () => void): number => {
    act();
    return read(reader).length;
  };
  t.equal(
    changes(() => ledger.setWeight(a, 2)),
    1,
  );
  t.equal(
    changes(() => ledger.setWeight(a, 2)),
    0,
    'no change',
  );
  t.equal(
    changes(() => ledger.setHealth(a, 'up')),
    1,
  );
  t.equal(
    changes(() => ledger.setHealth(a, 'up')),
    0,
  );
  t.equal(
    changes(() => ledger.setClosed(a, 'ejected')),
    1,
  );
  t.equal(
    changes(() => ledger.setClosed(a, 'ejected')),
    0,
  );
  t.equal(
    changes(() => ledger.clearClosed(a, 'ejected')),
    1,
  );
  t.equal(
    changes(() => ledger.clearClosed(a, 'ejected')),
    0,
  );
  t.equal(
    changes(() => ledger.tryTake(a, w0)),
    0,
    'a count without a cap',
  );
  t.equal(
    changes(() => ledger.setCap(a, 3)),
    1,
  );
  t.equal(
    changes(() => ledger.tryTake(a, w0)),
    0,
    'below the cap',
  );
  t.equal(
    changes(() => ledger.tryTake(a, w0)),
    1,
    'the last place',
  );
  t.equal(
    changes(() => ledger.tryTake(a, w0)),
    0,
    'refused',
  );
  t.equal(
    changes(() => ledger.giveBack(a, w0)),
    1,
    'a place again',
  );
  t.equal(
    changes(() => ledger.giveBack(a, w0)),
    0,
  );
  ledger.watchCounts(a, w0);
  t.equal(
    changes(() => ledger.tryTake(a, w0)),
    0,
    'a count is for those alone that keep an order by it',
  );
  ledger.forgetWorker(w0);
  t.same(read(reader), [EVERY_ROW]);
  ledger.resetBackend(a);
  t.same(read(reader), [a]);
});

t.test(
  'a pool reads what changes in its own rows, with counts where they are watched',
  async (t) => {
    const ledger = new Ledger(createLedgerMemory());
    const b = 9 as BackendId;
    const [p0, p1] = [0 as PoolId, 4_095 as PoolId];
    const [w0, w1, last] = [0 as WorkerId, 1 as WorkerId, 63 as WorkerId];
    ledger.setWeight(a, 1);
    const [own, other] = [ledger.changes.readerOf(p0, [a]), ledger.changes.readerOf(p1, [b])];
    const changes = (act: () => void): number[] => {
      act();
      t.same(read(other), [], 'nothing of another pool');
      return read(own).map((entry) => (isCountOnly(entry) ? 1 : 2));
    };
    const session = (worker: WorkerId) => (): void => {
      ledger.tryTake(a, worker);
      ledger.giveBack(a, worker);
    };
    t.same(
      changes(() => ledger.setHealth(a, 'up')),
      [2],
    );
    t.same(changes(session(w0)), []);
    ledger.watchCounts(a, w1);
    ledger.watchCounts(a, last);
    t.same(changes(session(w0)), [1, 1]);
    ledger.unwatchCounts(a, p0, w1);
    t.same(changes(session(w0)), [1, 1], 'another worker has an order by it');
    ledger.unwatchCounts(a, p1, last);
    t.same(changes(session(w0)), [1, 1], 'the row is not of that pool');
    ledger.unwatchCounts(a, p0, last);
    t.same(changes(session(w0)), []);
    ledger.watchCounts(a, last);
    ledger.forgetWorker(last);
    t.same(read(own), [EVERY_ROW]);
    t.same(read(other), [EVERY_ROW]);
    t.same(changes(session(w0)), [], 'a lost worker watches nothing');
    ledger.setCap(a, 1);
    t.same(changes(session(w0)), [2, 2, 2], 'the cap, and twice what meets it');
    ledger.watchCounts(a, w1);
    ledger.resetBackend(a);
    read(own);
    t.same(changes(session(w0)), [], 'the row is of no pool now');
  },
);

t.test('threads that write at the same time leave no reader with a wrong count', async (t) => {
  const backends = 12;
  const start: ChangeStart = {
    memory: createLedgerMemory(),
    gate: new SharedArrayBuffer(8),
    threads: 3,
    rounds: 100_000,
    backends,
  };
  const ledger = new Ledger(start.memory);
  for (let row = 0; row < backends; row++) {
    // Some by their cap, which is reached all the time, and some by every count.
    if (row % 2 === 0) ledger.watchCounts(row as BackendId, 0 as WorkerId);
    else ledger.setCap(row as BackendId, 1);
  }
  const threads = Array.from(
    { length: start.threads },
    (_, worker) =>
      new Worker(new URL('./change_hammer.js', import.meta.url), {
        workerData: { ...start, worker },
      }),
  );
  const reports = await Promise.all(threads.map((thread) => once(thread, 'message')));
  for (const [report] of reports) t.same((report as { wrong: string[] }).wrong, []);
});
