/**
 * One worker of the simulation: the real data plane over a fake engine. As worker.ts has it,
 * messages are fetched when the bell has rung, and plans are applied one after the other.
 */

import { DataPlane } from '../../src/control/data_plane.js';
import type { SharedState } from '../../src/control/shared_state.js';
import { WorkerAnswers } from '../../src/control/worker_answers.js';
import type { FromWorker, ToWorker } from '../../src/control/worker_protocol.js';
import { escalate, unreachable } from '../../src/core/assert.js';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import type { PlanPart } from '../../src/core/plan.js';
import { below, type Random } from '../../src/core/random.js';
import { SeriesWriter } from '../../src/core/series.js';
import { ClientTable } from '../../src/pool/client_table.js';
import { KeyTable } from '../../src/pool/key_table.js';
import { FakeTcpEngine } from '../support/fake_tcp_engine.js';
import type { FakeTime } from '../support/fake_time.js';
import { PlanCopy } from '../support/plan_copy.js';
import { SimUdpEngine } from './sim_udp_engine.js';
import { type Heads, WatchedLedger } from './watched_ledger.js';

/** Pairs, and flows, of one worker: small, so that its limit is met. */
const CAPACITY = 120;

export interface SimWorkerDeps {
  readonly worker: WorkerId;
  readonly workers: number;
  readonly time: FakeTime;
  readonly random: Random;
  readonly shared: SharedState;
  readonly heads: Heads;
  readonly poolOf: (backend: BackendId) => PoolId;
  readonly post: (message: FromWorker) => void;
  readonly ring: (worker: WorkerId) => void;
}

export class SimWorker {
  readonly id: WorkerId;
  readonly tcp: FakeTcpEngine;
  readonly udp: SimUdpEngine;
  readonly ledger: WatchedLedger;
  readonly plane: DataPlane;
  /** What of plans was begun to apply. */
  readonly plans = new PlanCopy();
  readonly #inbox: ToWorker[] = [];
  readonly #deps: SimWorkerDeps;
  readonly #answers: WorkerAnswers;
  #applying: Promise<void> = Promise.resolve();
  #bell: 'rung' | 'silent' = 'silent';

  constructor(deps: SimWorkerDeps) {
    const { worker, workers, shared, time, poolOf, heads, post } = deps;
    this.id = worker;
    this.#deps = deps;
    this.tcp = new FakeTcpEngine(time, CAPACITY, () => below(deps.random, 3));
    this.udp = new SimUdpEngine(time, CAPACITY);
    this.ledger = new WatchedLedger(shared.memory.ledger, worker, heads, poolOf);
    this.plane = new DataPlane({
      engine: {
        name: 'node',
        clock: time,
        tcp: this.tcp,
        udp: this.udp,
        attach: () => {},
        run: async () => {},
        stop: () => {},
      },
      random: deps.random,
      ledger: this.ledger,
      clients: new ClientTable(shared.memory.clients),
      keys: new KeyTable(shared.memory.keys),
      series: new SeriesWriter(shared.memory.series, worker),
      worker,
      workers,
      access: (record) => post({ kind: 'access', records: [record] }),
      ring: deps.ring,
      cancel: () => {},
      turn: () => Promise.resolve(),
      ejected: () => post({ kind: 'ejected' }),
      acceptFailed: (socket, errno) => post({ kind: 'accept-failed', socket, errno }),
      internalError: escalate,
    });
    this.#answers = new WorkerAnswers({
      plane: this.plane,
      clock: time,
      random: deps.random,
      post,
      turn: () => Promise.resolve(),
      internalError: escalate,
    });
    this.tcp.attach(this.plane.edges.tcp);
    this.udp.attach(this.plane.edges.udp);
  }

  send(message: ToWorker): void {
    this.#inbox.push(message);
    this.ring();
  }

  ring(): void {
    this.#bell = 'rung';
  }

  get isRung(): boolean {
    return this.#bell === 'rung';
  }

  /** Once round the loop. */
  turn(): void {
    this.tcp.turn();
    if (this.#bell === 'rung') {
      this.#bell = 'silent';
      this.#fetch();
      this.plane.rung();
    }
    this.plane.tick(this.#deps.time.nowMs());
    this.#deps.shared.vitals.beat(this.id, this.#deps.time.nowMs());
  }

  /** One part of a plan in a turn. */
  #fetch(): void {
    for (let message = this.#inbox.shift(); message; message = this.#inbox.shift()) {
      this.#receive(message);
      if (message.kind === 'plan') return this.ring();
    }
  }

  #receive(message: ToWorker): void {
    switch (message.kind) {
      case 'plan':
        this.#applying = this.#applying.then(() => this.#apply(message.part));
        return;
      case 'cancelled':
        return;
      case 'end-sessions':
        return this.plane.endSessions(message);
      case 'spare-sessions':
        return this.plane.spareSessions(message.backends);
      case 'finish':
        return this.plane.udp.finish();
      case 'ask':
        return this.#answers.ask(message.ask, message.question);
      case 'stop':
        return;
      default:
        return unreachable(message);
    }
  }

  async #apply(part: PlanPart): Promise<void> {
    this.plans.take(part);
    for (const { key, outcome } of await this.plane.apply(part)) {
      this.#deps.post({ kind: 'opened', socket: key, outcome });
    }
    if (part.kind === 'done') this.#deps.post({ kind: 'applied', version: part.version });
  }
}
