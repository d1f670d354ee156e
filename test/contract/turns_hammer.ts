/** A thread that chooses from a shared round-robin as fast as it can, and counts what it chose. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PoolId, WorkerId } from '../../src/core/brand.js';
import { seededRandom } from '../../src/core/random.js';
import { Ledger } from '../../src/pool/ledger.js';
import { membersOf, policyOf, Situation } from '../balance/situation.js';

export interface TurnsStart {
  readonly memory: SharedArrayBuffer;
  /** One cell: threads that are ready. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly choices: number;
  readonly weights: readonly number[];
}

const start = workerData as TurnsStart & { readonly worker: number };
const members = membersOf(...start.weights);
const turns = new Ledger(start.memory).turnsOf(0 as PoolId, start.worker as WorkerId);
const policy = policyOf('round-robin', members, {}, turns);
const situation = new Situation(members);
const random = seededRandom(start.worker + 1);
const counts = members.map(() => 0);
const gate = new Int32Array(start.gate);

Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let ready = 0; ready < start.threads; ready = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, ready, 1000);
}
for (let n = 0; n < start.choices; n++) {
  const chosen = policy.choose(situation, random);
  counts[chosen] = (counts[chosen] ?? 0) + 1;
}
parentPort?.postMessage(counts);
