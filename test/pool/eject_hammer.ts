/** A thread that ejects every backend of a pool when others do the same, again and again. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BackendId, PoolId } from '../../src/core/brand.js';
import { CLOSED_BECAUSE } from '../../src/pool/backend_rows.js';
import { endEjection, tryEject } from '../../src/pool/ejecting.js';
import { Ledger } from '../../src/pool/ledger.js';
import { OUTLIER } from './outlier.js';

export interface EjectStart {
  readonly memory: SharedArrayBuffer;
  /** Two cells: arrivals at the barrier, and barriers passed. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly rounds: number;
  readonly backends: number;
  readonly percent: number;
}

const start = workerData as EjectStart & { readonly index: number };
const pool = 0 as PoolId;
const ledger = new Ledger(start.memory);
const gate = new Int32Array(start.gate);
const spec = { ...OUTLIER, maxEjectedPercent: start.percent };
const members = Array.from({ length: start.backends }, (_, id) => id as BackendId);
const outs: number[] = [];

for (let round = 0; round < start.rounds; round++) {
  if (start.index === 0) {
    for (const id of members) {
      endEjection(ledger, pool, id);
      ledger.setWeight(id, 1);
      ledger.setHealth(id, 'up');
    }
  }
  meet();
  for (let n = 0; n < members.length; n++) {
    const backend = ((n * 3 + start.index * 5 + round) % members.length) as BackendId;
    tryEject(ledger, { pool, backend, members, spec, inARow: 1, nowMs: 0 });
  }
  meet();
  outs.push(members.filter((id) => (ledger.closed(id) & CLOSED_BECAUSE.ejected) !== 0).length);
  meet();
}
if (start.index === 0) for (const id of members) endEjection(ledger, pool, id);
parentPort?.postMessage(outs);

function meet(): void {
  const passed = Atomics.load(gate, 1);
  if (Atomics.add(gate, 0, 1) + 1 === start.threads) {
    Atomics.store(gate, 0, 0);
    Atomics.add(gate, 1, 1);
    Atomics.notify(gate, 1);
  } else {
    while (Atomics.load(gate, 1) === passed) Atomics.wait(gate, 1, passed, 1_000);
  }
}
