/** A thread that serves pairs at random, as fast as it can: what it counted is its answer. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import { SeriesWriter } from '../../src/core/series.js';
import { PLAIN_COLUMN } from '../../src/core/series_layout.js';

export interface PairHammerStart {
  readonly memory: SharedArrayBuffer;
  /** One cell: threads that are ready. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly worker: number;
  readonly seed: number;
  readonly rounds: number;
  readonly listeners: number;
  readonly backends: number;
}

const start = workerData as PairHammerStart;
const gate = new Int32Array(start.gate);
const random = seededRandom(start.seed + start.worker);
const series = new SeriesWriter(start.memory, start.worker as WorkerId);
const counted = new Int32Array(start.listeners * start.backends);

Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let ready = 0; ready < start.threads; ready = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, ready, 1000);
}
for (let round = 0; round < start.rounds; round++) {
  const listener = below(random, start.listeners);
  const backend = below(random, start.backends);
  const row = series.rowOf(listener as ListenerId, backend as BackendId);
  series.add(row, PLAIN_COLUMN.bytesIn, 1);
  const at = listener * start.backends + backend;
  counted[at] = (counted[at] ?? 0) + 1;
}
parentPort?.postMessage(counted);
