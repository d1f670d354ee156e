/** A thread that begins and ends sessions of many clients as fast as it can. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ListenerId, WorkerId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import { type ClientRule, ClientTable, NOT_COUNTED } from '../../src/pool/client_table.js';

export interface ClientHammerStart {
  readonly memory: SharedArrayBuffer;
  /** One cell: threads that are ready. */
  readonly gate: SharedArrayBuffer;
  /** By client: sessions that some thread has, counted apart. */
  readonly live: SharedArrayBuffer;
  readonly threads: number;
  readonly worker: number;
  readonly rounds: number;
  readonly clients: number;
  readonly rule: ClientRule;
  readonly seed: number;
}

export interface ClientHammerReport {
  /** Sessions that were counted, by client. */
  readonly begun: readonly number[];
  readonly refused: number;
  readonly uncounted: number;
  /** The most sessions that a client had. */
  readonly most: number;
}

const start = workerData as ClientHammerStart;
const worker = start.worker as WorkerId;
const listener = 0 as ListenerId;
const table = new ClientTable(start.memory);
const random = seededRandom(start.seed + worker);
const gate = new Int32Array(start.gate);
const live = new Int32Array(start.live);
const begun = new Array<number>(start.clients).fill(0);
let [refused, uncounted, most] = [0, 0, 0];
const held: { readonly client: number; readonly row: number }[] = [];

function end(): void {
  const [one] = held.splice(below(random, held.length), 1);
  if (one === undefined) return;
  Atomics.sub(live, one.client, 1);
  table.leave(one.row, worker);
}

Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let ready = 0; ready < start.threads; ready = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, ready, 1000);
}
for (let round = 0; round < start.rounds; round++) {
  const client = below(random, start.clients);
  const row = table.enter(listener, Uint8Array.of(10, 0, 0, client), start.rule, 1_000, worker);
  if (row >= 0) {
    begun[client] = (begun[client] ?? 0) + 1;
    most = Math.max(most, Atomics.add(live, client, 1) + 1);
    held.push({ client, row });
  } else if (row === NOT_COUNTED) uncounted++;
  else refused++;
  if (held.length > below(random, 16)) end();
}
while (held.length > 0) end();
const report: ClientHammerReport = { begun, refused, uncounted, most };
parentPort?.postMessage(report);
