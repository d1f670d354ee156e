/**
 * The real flows, pool, ledger and counters over an engine without sockets and a clock that obeys.
 */

import type { AccessRecord } from '../../../src/core/access.js';
import { escalate } from '../../../src/core/assert.js';
import type { BackendId, ListenerId, PoolId, SeriesId, WorkerId } from '../../../src/core/brand.js';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import type { DatagramDrop } from '../../../src/core/outcome.js';
import type { BackendPlan, ListenerPlan, PoolPlan } from '../../../src/core/plan.js';
import { seededRandom } from '../../../src/core/random.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../../src/core/series.js';
import { DROP_COLUMN, PLAIN_COLUMN, type PlainColumn } from '../../../src/core/series_layout.js';
import { SessionIds } from '../../../src/core/session_ids.js';
import type { HealthState } from '../../../src/pool/backend_rows.js';
import { ClientTable, createClientMemory } from '../../../src/pool/client_table.js';
import { createLedgerMemory, Ledger } from '../../../src/pool/ledger.js';
import { Pool } from '../../../src/pool/pool.js';
import type { ReportDefect } from '../../../src/session/defect.js';
import { UdpFlows } from '../../../src/session/udp/flows.js';
import { UdpWall } from '../../../src/session/udp/wall.js';
import { type Change, changed, listenerSettings, poolSettings } from '../../support/changed.js';
import { FakeTime } from '../../support/fake_time.js';
import { FakeUdpEngine } from './fake_engine.js';

export const LISTENER = 0 as ListenerId;
export const KEY = 53;
const POOL = 0 as PoolId;
const WORKER = 0 as WorkerId;
const LISTENER_SERIES = 0 as SeriesId;

export const backendId = (index: number): BackendId => index as BackendId;
/** The address of backend `index`, as text. */
export const target = (index: number): string => `10.0.0.${index}:53`;
export const client = (index: number): IpEndpoint =>
  ipEndpoint(4, `198.51.100.${index >> 14}`, 10_000 + (index & 0x3fff));

export interface BedOptions {
  readonly backends?: number;
  readonly health?: HealthState;
  readonly pool?: Change<PoolPlan>;
  readonly listener?: Change<ListenerPlan>;
  readonly capacity?: number;
  readonly seed?: number;
  /** A defect fails the test unless the test is about it. */
  readonly internalError?: ReportDefect;
}

export class Bed {
  readonly time = new FakeTime();
  readonly ledger = new Ledger(createLedgerMemory());
  readonly clients = new ClientTable(createClientMemory(1, seededRandom(1), 4));
  readonly records: AccessRecord[] = [];
  readonly engine: FakeUdpEngine;
  readonly flows: UdpFlows;
  readonly pool: Pool;
  poolPlan: PoolPlan;
  listenerPlan: ListenerPlan;
  readonly #reader: SeriesReader;

  constructor(options: BedOptions) {
    const random = seededRandom(options.seed ?? 1);
    const memory = createSeriesMemory(1);
    this.#reader = new SeriesReader(memory);
    this.engine = new FakeUdpEngine(this.time, options.capacity ?? 64);
    const count = options.backends ?? 2;
    const backends = Array.from({ length: count }, (_, i) => i);
    this.poolPlan = changed(poolPlan(backends), options.pool ?? {});
    this.listenerPlan = changed(listenerPlan([KEY]), options.listener ?? {});
    for (let index = 0; index < count; index++) {
      this.ledger.setWeight(backendId(index), 1);
      this.ledger.setHealth(backendId(index), options.health ?? 'up');
    }
    const deps = { ledger: this.ledger, worker: WORKER, clock: this.time, random };
    this.pool = new Pool(this.poolPlan, { ...deps, freed: () => {}, ejected: () => {} });
    this.flows = new UdpFlows({
      ...deps,
      clients: this.clients,
      ids: new SessionIds(WORKER, this.time.wallMs()),
      engine: this.engine,
      series: new SeriesWriter(memory, WORKER),
      access: (record) => this.records.push(record),
      internalError: options.internalError ?? escalate,
      descriptorFreed: () => {},
    });
    this.flows.access = 'all';
    this.engine.attach(new UdpWall(this.flows));
  }

  async open(): Promise<this> {
    await this.flows.listeners.apply(this.listenerPlan, this.pool);
    return this;
  }

  /** Time passes in steps, and the worker's loop ticks after each, until nothing is due. */
  async pass(ms: number, stepMs = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.time.pass(Math.min(stepMs, ms - passed));
      const nowMs = this.time.nowMs();
      while (this.flows.tick(nowMs) <= nowMs);
    }
  }

  send(peer: IpEndpoint, text: string): void {
    this.engine.receive(KEY, peer, text);
  }

  /** Where the last datagram went. */
  get lastTarget(): string {
    return this.engine.upstream.at(-1)?.to ?? 'none';
  }

  /** The sum over the listener's own row and all backends' rows. */
  total(column: PlainColumn): number {
    return this.#sum(PLAIN_COLUMN[column]);
  }

  drops(reason: DatagramDrop): number {
    return this.#sum(DROP_COLUMN[reason]);
  }

  /** Of backend `index` behind the listener. */
  at(index: number, column: PlainColumn): number {
    return this.#sumAt(index, PLAIN_COLUMN[column]);
  }

  /** Everything that a life of flows must leave behind as it was. */
  remains(): Record<string, number> {
    const backends = this.poolPlan.backends.map(({ id }) => this.ledger.active(id));
    return {
      flows: this.flows.count,
      engine: this.engine.open,
      listener: this.ledger.listenerActive(LISTENER),
      backends: backends.reduce((sum, active) => sum + active, 0),
      active: this.total('active'),
      clients: [...this.clients.clients(0)].reduce((sum, { sessions }) => sum + sessions, 0),
    };
  }

  #sum(column: number): number {
    let sum = this.#reader.value(LISTENER_SERIES, column);
    for (let index = 0; index < 8; index++) sum += this.#sumAt(index, column);
    return sum;
  }

  #sumAt(index: number, column: number): number {
    const rows = this.#reader.rowsOf(backendId(index));
    return rows.reduce((sum, { series }) => sum + this.#reader.value(series, column), 0);
  }
}

export const NOTHING = { flows: 0, engine: 0, listener: 0, backends: 0, active: 0, clients: 0 };

/** A bed whose listener is open. */
export function bed(options: BedOptions = {}): Promise<Bed> {
  return new Bed(options).open();
}

export function poolPlan(backends: readonly number[]): PoolPlan {
  return {
    id: POOL,
    name: 'dns',
    settings: poolSettings({
      policy: { name: 'least-connections' },
    }),
    backends: backends.map(backendPlan),
  };
}

export function listenerPlan(keys: readonly number[]): ListenerPlan {
  return {
    id: LISTENER,
    name: 'resolver',
    protocol: 'udp',
    sockets: keys.map((key) => ({
      key,
      source: { kind: 'bind', local: ipEndpoint(4, '192.0.2.1', key), reusePort: 'exclusive' },
      socket: key,
    })),
    pool: POOL,
    maxSessions: 1000,
    access: null,
    denied: null,
    settings: listenerSettings({ idleTimeoutMs: 60_000 }),
    routes: [],
    series: LISTENER_SERIES,
  };
}

function backendPlan(index: number): BackendPlan {
  return {
    id: backendId(index),
    name: `b${index}`,
    endpoint: ipEndpoint(4, `10.0.0.${index}`, 53),
    weight: 1,
    rank: 0,
    draining: false,
    yielding: false,
  };
}
