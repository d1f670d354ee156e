/**
 * A thread that takes and gives back as fast as it can while it follows all counts by the journal,
 * and reports where it believes something else than the ledger when all threads are done.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import { EVERY_ROW, rowIn } from '../../src/pool/change_journal.js';
import { Ledger } from '../../src/pool/ledger.js';

export interface ChangeStart {
  readonly memory: SharedArrayBuffer;
  /** Two cells: threads that are ready, and threads that are done. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly rounds: number;
  readonly backends: number;
}

const start = workerData as ChangeStart & { readonly worker: WorkerId };
const { threads, rounds, backends, worker } = start;
const ledger = new Ledger(start.memory);
const gate = new Int32Array(start.gate);
const random = seededRandom(worker + 1);
const rows = Array.from({ length: backends }, (_, row) => row as BackendId);
const reader = ledger.changes.readerOf(0 as PoolId, rows);
const believed = rows.map((row) => ledger.active(row));
const held = believed.map(() => 0);
let lost = 0;

meet(0);
for (let round = 0; round < rounds; round++) {
  const row = below(random, backends);
  if ((held[row] ?? 0) > 0 && below(random, 2) === 0) {
    ledger.giveBack(row as BackendId, worker);
    held[row] = (held[row] ?? 0) - 1;
  } else if (ledger.tryTake(row as BackendId, worker)) {
    held[row] = (held[row] ?? 0) + 1;
  }
  if (below(random, 50) === 0) follow();
}
meet(1);
follow();
const wrong = believed.flatMap((count, row) =>
  count === ledger.active(row as BackendId) ? [] : [`${row}: ${count}`],
);
parentPort?.postMessage({ wrong, lost });

function follow(): void {
  let { unread } = reader;
  if (unread === Number.POSITIVE_INFINITY) {
    lost++;
    reader.skip();
    for (const row of believed.keys()) look(row);
    return;
  }
  for (; unread > 0; unread--) {
    const entry = reader.next();
    if (entry !== EVERY_ROW) look(rowIn(entry));
    else {
      lost++;
      return follow();
    }
  }
}

function look(row: number): void {
  believed[row] = ledger.active(row as BackendId);
}

function meet(cell: number): void {
  Atomics.add(gate, cell, 1);
  Atomics.notify(gate, cell);
  for (let here = 0; here < threads; here = Atomics.load(gate, cell)) {
    Atomics.wait(gate, cell, here, 1000);
  }
}
