/**
 * The real sessions, pools, queues, ledger and counters of one or several workers over engines
 * without sockets and a clock that obeys.
 */
import { partsBetween } from '../../../src/control/plan_parts.js';
import type { AccessRecord } from '../../../src/core/access.js';
import { escalate } from '../../../src/core/assert.js';
import type {
  BackendId,
  ListenerId,
  PairId,
  PoolId,
  SeriesId,
  WorkerId,
} from '../../../src/core/brand.js';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import type { Cause, DialFailure, DryRefusal } from '../../../src/core/outcome.js';
import type { BackendPlan, ListenerPlan, Plan, PoolPlan } from '../../../src/core/plan.js';
import { seededRandom } from '../../../src/core/random.js';
import { createSeriesMemory, SeriesReader } from '../../../src/core/series.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  DRY_COLUMN,
  type HistogramName,
  PLAIN_COLUMN,
  type PlainColumn,
} from '../../../src/core/series_layout.js';
import type { HealthState } from '../../../src/pool/backend_rows.js';
import { ClientTable, createClientMemory } from '../../../src/pool/client_table.js';
import { createKeyMemory, KeyTable } from '../../../src/pool/key_table.js';
import { createLedgerMemory, Ledger } from '../../../src/pool/ledger.js';
import type { ReportDefect } from '../../../src/session/defect.js';
import { type Change, changed, listenerSettings, poolSettings } from '../../support/changed.js';
import { FakeTime } from '../../support/fake_time.js';
import { BedWorker } from './bed_worker.js';

export const KEY = 5432;
export const LISTENER = 0 as ListenerId;
export const POOL = 0 as PoolId;
const LISTENER_SERIES = 0 as SeriesId;
const MAX_BACKENDS = 8;

export const backendId = (index: number): BackendId => index as BackendId;
export const target = (index: number): string => `10.0.0.${index}:5432`;
export const client = (index: number): IpEndpoint => ipEndpoint(4, '198.51.100.1', 10_000 + index);

export interface BedOptions {
  readonly workers?: number;
  /** Of the table of clients. */
  readonly sets?: number;
  readonly backends?: number;
  readonly health?: HealthState;
  readonly pool?: Change<PoolPlan>;
  readonly listener?: Change<ListenerPlan>;
  /** A defect fails the test unless the test is about it. */
  readonly internalError?: ReportDefect;
}

export class Bed {
  readonly time = new FakeTime();
  readonly ledger = new Ledger(createLedgerMemory());
  readonly clients: ClientTable;
  readonly keys: KeyTable;
  readonly records: AccessRecord[] = [];
  readonly workers: readonly BedWorker[];
  plan: Plan;
  readonly #reader: SeriesReader;
  #applied: Plan | null = null;
  #clients = 0;

  constructor(options: BedOptions) {
    const count = options.workers ?? 1;
    const memory = createSeriesMemory(count);
    this.#reader = new SeriesReader(memory);
    const random = seededRandom(1);
    this.clients = new ClientTable(createClientMemory(count, seededRandom(1), options.sets));
    this.keys = new KeyTable(createKeyMemory(count, seededRandom(1)));
    const backends = Array.from({ length: options.backends ?? 2 }, (_, index) => index);
    this.plan = {
      version: 1,
      access: 'all',
      listeners: [changed(LISTENER_PLAN, options.listener ?? {})],
      pools: [
        changed(changed(POOL_PLAN, { backends: backends.map(backendPlan) }), options.pool ?? {}),
      ],
    };
    for (const index of backends) {
      this.ledger.setWeight(backendId(index), 1);
      this.ledger.setHealth(backendId(index), options.health ?? 'up');
    }
    this.workers = Array.from(
      { length: count },
      (_, worker) =>
        new BedWorker({
          worker: worker as WorkerId,
          workers: count,
          time: this.time,
          ledger: this.ledger,
          clients: this.clients,
          keys: this.keys,
          memory,
          random,
          access: (record) => this.records.push(record),
          ring: (other) => this.worker(other).ring(),
          internalError: options.internalError ?? escalate,
        }),
    );
  }

  worker(index: number): BedWorker {
    const worker = this.workers[index];
    if (worker === undefined) throw new Error(`there is no worker ${index}`);
    return worker;
  }

  /** Every worker applies a newer plan. */
  async apply(change: Partial<Plan> = {}): Promise<this> {
    this.plan = { ...this.plan, ...change, version: this.plan.version + 1 };
    for (const part of partsBetween(this.#applied, this.plan)) {
      for (const { plane } of this.workers) await plane.apply(part);
    }
    this.#applied = this.plan;
    this.turn();
    return this;
  }

  /** The pool's plan with changes. */
  pool(change: Change<PoolPlan>): PoolPlan {
    const [pool = POOL_PLAN] = this.plan.pools;
    return changed(pool, change);
  }

  listener(change: Change<ListenerPlan>): ListenerPlan {
    const [listener = LISTENER_PLAN] = this.plan.listeners;
    return changed(listener, change);
  }

  /** A client is accepted by `worker`; throws when it waits in the backlog. */
  accept(worker = 0, peer = client(this.#clients++)): PairId {
    const pair = this.worker(worker).tcp.connect(KEY, peer);
    if (pair === null) throw new Error('the client waits in the backlog');
    this.turn();
    return pair;
  }

  /** A client is accepted and its dial succeeds. */
  relay(worker = 0): PairId {
    const pair = this.accept(worker);
    this.worker(worker).tcp.dialSucceeds(pair);
    return pair;
  }

  /** The loops of all workers go round until none has anything more to do. */
  turn(): void {
    for (let round = 0; round < 4; round++) for (const worker of this.workers) worker.turn();
  }

  async pass(ms: number, stepMs = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.time.pass(Math.min(stepMs, ms - passed));
      this.turn();
    }
  }

  /** Where a client's session is now, as its worker's engine sees it; null: over. */
  state(pair: PairId, worker = 0): string | null {
    const found = this.worker(worker).tcp.pairs.get(pair);
    return found === undefined ? null : `${found.state} ${found.target ?? '-'}`;
  }

  /** Causes of the sessions that are over, in order. */
  get causes(): Cause[] {
    return this.records.map(({ end }) => end.cause);
  }

  total(column: PlainColumn): number {
    return this.#sum(PLAIN_COLUMN[column]);
  }

  ended(cause: Cause): number {
    return this.#sum(CAUSE_COLUMN[cause]);
  }

  dryRun(reason: DryRefusal): number {
    return this.#sum(DRY_COLUMN[reason]);
  }

  /** Sessions that ended with `cause` in one row. */
  of(series: SeriesId, cause: Cause): number {
    return this.#reader.value(series, CAUSE_COLUMN[cause]);
  }

  dialFailures(failure: DialFailure): number {
    return this.#sum(DIAL_COLUMN[failure]);
  }

  at(index: number, column: PlainColumn): number {
    return this.#sumAt(index, PLAIN_COLUMN[column]);
  }

  /** Counts by bucket, of the only row of a backend; empty: it has none. */
  buckets(index: number, name: HistogramName): readonly number[] {
    const [row] = this.#reader.rowsOf(backendId(index));
    return row === undefined ? [] : this.#reader.histogram(row.series, name).counts;
  }

  /** Everything that a life of sessions must leave behind as it was. */
  remains(): typeof NOTHING {
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    const ids = Array.from({ length: MAX_BACKENDS }, (_, index) => backendId(index));
    return {
      sessions: sum(this.workers.map(({ plane }) => plane.tcp.count)),
      pairs: sum(this.workers.map(({ tcp }) => tcp.pairs.size)),
      listener: this.ledger.listenerActive(LISTENER),
      backends: sum(ids.map((id) => this.ledger.active(id))),
      queued: this.ledger.queued(POOL),
      active: this.total('active'),
      clients: [...this.clients.clients(0)].reduce((sum, { sessions }) => sum + sessions, 0),
    };
  }

  #sum(column: number): number {
    let sum = this.#reader.value(LISTENER_SERIES, column);
    for (let index = 0; index < MAX_BACKENDS; index++) {
      sum += this.#sumAt(index, column);
    }
    return sum;
  }

  #sumAt(index: number, column: number): number {
    const rows = this.#reader.rowsOf(backendId(index));
    return rows.reduce((sum, { series }) => sum + this.#reader.value(series, column), 0);
  }
}

export const NOTHING = {
  sessions: 0,
  pairs: 0,
  listener: 0,
  backends: 0,
  queued: 0,
  active: 0,
  clients: 0,
};

/** A bed whose listener is open. */
export function bed(options: BedOptions = {}): Promise<Bed> {
  return new Bed(options).apply();
}

export function backendPlan(index: number): BackendPlan {
  return {
    id: backendId(index),
    name: `b${index}`,
    endpoint: ipEndpoint(4, `10.0.0.${index}`, 5432),
    weight: 1,
    rank: 0,
    draining: false,
    yielding: false,
  };
}

const POOL_PLAN: PoolPlan = {
  id: POOL,
  name: 'pg',
  settings: poolSettings({
    policy: { name: 'least-connections' },
    queueTimeoutMs: 1000,
  }),
  backends: [],
};

const LISTENER_PLAN: ListenerPlan = {
  id: LISTENER,
  name: 'front',
  protocol: 'tcp',
  sockets: [
    {
      key: KEY,
      source: {
        kind: 'bind',
        local: ipEndpoint(4, '192.0.2.1', 5432),
        reusePort: 'exclusive',
      },
      socket: KEY,
    },
  ],
  pool: POOL,
  routes: [],
  maxSessions: 1000,
  access: null,
  denied: null,
  settings: listenerSettings({ idleTimeoutMs: 60_000 }),
  series: LISTENER_SERIES,
};
