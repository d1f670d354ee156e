/**
 * The entry of a worker thread: an engine with its data plane, messages from the main thread, and
 * signs of life. A blocking engine never comes back to the event loop, so messages are fetched when
 * the doorbell rings and nothing here waits for an event.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AccessRecord } from '../core/access.js';
import { unreachable } from '../core/assert.js';
import { Doorbell } from '../core/doorbell.js';
import type { PlanPart } from '../core/plan.js';
import { SeriesWriter } from '../core/series.js';
import { createEngine } from '../engine/create.js';
import { ringBell } from '../kernel/descriptor.js';
import { loadKernel } from '../kernel/foreign.js';
import { Holdings } from '../kernel/holdings.js';
import { ClientTable } from '../pool/client_table.js';
import { KeyTable } from '../pool/key_table.js';
import { Ledger } from '../pool/ledger.js';
import { systemClock } from '../system/clock.js';
import { descriptorLimit, ephemeralPortRange } from '../system/limits.js';
import { livingClock, livingTimers } from '../system/living_clock.js';
import { systemRandom } from '../system/random.js';
import { systemTimers } from '../system/timers.js';
import { DataPlane } from './data_plane.js';
import { Defects } from './defects.js';
import { Vitals } from './vitals.js';
import { WorkerAnswers } from './worker_answers.js';
import type { FromWorker, ToWorker, WorkerStart } from './worker_protocol.js';

/** Access records are handed over in batches of at most this many. */
const BATCH_RECORDS = 256;

const { start, port } = workerData as { readonly start: WorkerStart; readonly port: MessagePort };
const post = (message: FromWorker): void => port.postMessage(message);

const kernel = loadKernel();
const doorbell = new Doorbell(start.memory.doorbell, (fd) => {
  if (kernel.ok) ringBell(kernel.value, fd);
});
const defects = new Defects((defect) => post({ kind: 'internal-error', ...defect }));
const vitals = new Vitals(start.memory.vitals);
const clock = livingClock(systemClock, start.memory.clock);
const created = createEngine(start.engine, {
  limits: {
    pairs: start.capacity,
    flows: start.capacity,
    pipes: start.pipes,
    descriptors: descriptorLimit()?.soft ?? 0,
  },
  clock,
  timers: livingTimers(systemTimers, clock),
  doorbell,
  worker: start.worker,
  holdings: new Holdings(start.memory.holdings),
  polls: (fd) => vitals.polls(start.worker, fd),
  sourcePorts: ephemeralPortRange,
  degraded: (detail) => post({ kind: 'degraded', detail }),
});

/** An engine that blocks has its turn at once when the bell rings, and then the event loop. */
const turn = (): Promise<void> => {
  doorbell.ring(start.worker);
  return new Promise((resolve) => setImmediate(resolve));
};

if (created.ok) {
  const engine = created.value;
  const records: AccessRecord[] = [];
  const plane = new DataPlane({
    engine,
    random: systemRandom,
    ledger: new Ledger(start.memory.ledger),
    clients: new ClientTable(start.memory.clients),
    keys: new KeyTable(start.memory.keys),
    series: new SeriesWriter(start.memory.series, start.worker),
    worker: start.worker,
    workers: start.workers,
    access: (record) => {
      records.push(record);
      if (records.length >= BATCH_RECORDS) handOver(records);
    },
    ring: (worker) => doorbell.ring(worker),
    turn,
    cancel: (order) => post({ kind: 'cancel', order }),
    ejected: () => post({ kind: 'ejected' }),
    acceptFailed: (socket, errno) => post({ kind: 'accept-failed', socket, errno }),
    internalError: (error, listener) => defects.report(error, listener, engine.clock.nowMs()),
  });
  engine.attach(plane.edges.tcp, plane.edges.udp);
  const answers = new WorkerAnswers({
    plane,
    clock: engine.clock,
    random: systemRandom,
    post,
    turn,
    internalError: (error, listener) => defects.report(error, listener, engine.clock.nowMs()),
  });
  let applying: Promise<void> = Promise.resolve();
  const apply = async (part: PlanPart): Promise<void> => {
    for (const { key, outcome } of await plane.apply(part)) {
      post({ kind: 'opened', socket: key, outcome });
    }
    if (part.kind === 'done') post({ kind: 'applied', version: part.version });
  };
  const receive = (message: ToWorker): void => {
    switch (message.kind) {
      case 'plan':
        applying = applying.then(() => apply(message.part));
        return;
      case 'end-sessions':
        return plane.endSessions(message);
      case 'spare-sessions':
        return plane.spareSessions(message.backends);
      case 'finish':
        return plane.udp.finish();
      case 'ask':
        return answers.ask(message.ask, message.question);
      case 'cancelled':
        return plane.tcp.cancelled(message.pair, message.number, message.outcome);
      case 'stop':
        handOver(records);
        defects.flush(Number.POSITIVE_INFINITY);
        return engine.stop();
      default:
        return unreachable(message);
    }
  };
  const running = engine.run({
    tick: (nowMs) => {
      vitals.beat(start.worker, nowMs);
      defects.flush(nowMs);
      const dueMs = plane.tick(nowMs);
      // After the tick: it ends sessions, and the next one may be a rest away.
      if (records.length > 0) handOver(records);
      return dueMs;
    },
    rests: (untilMs) => {
      const isEarly = untilMs < vitals.lastBeatMs(start.worker);
      vitals.beat(start.worker, untilMs);
      if (isEarly && vitals.wakesMain()) post({ kind: 'stirs' });
    },
    rung: () => {
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
        const message = next.message as ToWorker;
        receive(message);
        // Reading and applying a part takes time: sessions have their turn before the next one. An
        // engine on the event loop would come back here at once for a ring from within.
        if (message.kind === 'plan') {
          setImmediate(() => doorbell.ring(start.worker));
          break;
        }
      }
      plane.rung();
    },
  });
  post({ kind: 'started' });
  await running;
} else {
  post({ kind: 'failed', sentence: created.error });
}

function handOver(records: AccessRecord[]): void {
  const batch = records.splice(0);
  if (batch.length === 0) return;
  if (vitals.tryHandOver(start.worker, batch.length)) post({ kind: 'access', records: batch });
  else post({ kind: 'access-lost', count: batch.length });
}
