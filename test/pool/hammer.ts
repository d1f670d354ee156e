/** A thread that takes and gives back places as fast as it can, and reports the most it saw. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BackendId, ListenerId, PoolId, WorkerId } from '../../src/core/brand.js';
import { Ledger } from '../../src/pool/ledger.js';

export interface HammerStart {
  readonly memory: SharedArrayBuffer;
  /** Two cells: threads that are ready, and whether one of them has met the other at the cap. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly worker: number;
  /** At least this many, and more until the threads have met. */
  readonly rounds: number;
  readonly cap: number;
}

export interface HammerReport {
  readonly taken: number;
  readonly refused: number;
  readonly most: number;
}

/** Of `rounds`: threads that have not met until then never do. */
const MOST_TIMES = 100;

const start = workerData as HammerStart;
const worker = start.worker as WorkerId;
const [backend, listener, pool] = [0 as BackendId, 0 as ListenerId, 0 as PoolId];
const ledger = new Ledger(start.memory);
const gate = new Int32Array(start.gate);
ledger.descriptors.allow(2 * start.cap - 1);
const report = { taken: 0, refused: 0, most: 0 };

Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let ready = 0; ready < start.threads; ready = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, ready, 1000);
}
// A thread that is ready may wait for a processor until another one has had all its rounds.
const goesOn = (round: number): boolean =>
  round < start.rounds || (Atomics.load(gate, 1) === 0 && round < MOST_TIMES * start.rounds);
for (let round = 0; goesOn(round); round++) {
  // Up to three places at a time, so that the threads meet at the cap from both sides.
  let held = 0;
  while (held < 1 + (round % 3) && ledger.tryTake(backend, worker)) held++;
  report.most = Math.max(report.most, ledger.active(backend));
  if (held === 0) {
    report.refused++;
    Atomics.store(gate, 1, 1);
  }
  report.taken += held;
  while (held-- > 0) ledger.giveBack(backend, worker);
  if (ledger.tryTakeListener(listener, start.cap, worker)) {
    report.most = Math.max(report.most, ledger.listenerActive(listener));
    ledger.giveBackListener(listener, worker);
  }
  const many = 1 + (round & 1);
  if (ledger.descriptors.tryTake(many, worker)) {
    // With an odd number allowed, one of them is left when all have two.
    report.most = Math.max(report.most, Math.ceil(ledger.descriptors.used / 2));
    if (ledger.descriptors.used > 2 * start.cap - 1) report.most = Number.POSITIVE_INFINITY;
    ledger.descriptors.giveBack(many, worker);
  }
  if (ledger.tryEnqueue(pool, start.cap, worker) !== 0) {
    report.most = Math.max(report.most, ledger.queued(pool));
    ledger.dequeue(pool, worker);
  }
}
parentPort?.postMessage(report);
