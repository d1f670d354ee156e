/** A thread that notes and forgets keys as fast as it can. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import { KeyTable, NO_ROOM } from '../../src/pool/key_table.js';

export interface KeyHammerStart {
  readonly memory: SharedArrayBuffer;
  readonly worker: number;
  readonly rounds: number;
  readonly seed: number;
}

export interface KeyHammerReport {
  readonly noted: number;
  readonly noRoom: number;
}

/** Keys of a thread at a time; more than it has slots. */
const MOST = 200;

/** Its backend can be read from the key. */
export const hammeredKey = (backend: number): Uint8Array => {
  const key = new Uint8Array(12);
  new DataView(key.buffer).setUint32(4, backend);
  return key;
};

if (parentPort !== null) {
  const { memory, worker, rounds, seed } = workerData as KeyHammerStart;
  const table = new KeyTable(memory);
  const random = seededRandom(seed + worker);
  const slots: number[] = [];
  let [noted, noRoom] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    if (slots.length > 0 && random.next() < slots.length / MOST) {
      table.forget(slots.splice(below(random, slots.length), 1)[0] ?? NO_ROOM);
      continue;
    }
    const backend = below(random, 1_000);
    const key = hammeredKey(backend);
    const slot = table.note(0 as ListenerId, key, backend as BackendId, worker as WorkerId);
    if (slot === NO_ROOM) noRoom++;
    else {
      slots.push(slot);
      noted++;
    }
  }
  for (const slot of slots) table.forget(slot);
  const report: KeyHammerReport = { noted, noRoom };
  parentPort.postMessage(report);
}
