/** The node engine with one UDP listener and one backend, put together as a worker does it. */
import { escalate } from '../../src/core/assert.js';
import type { BackendId, ListenerId, PoolId, SeriesId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { ListenerPlan, PoolPlan } from '../../src/core/plan.js';
import { createSeriesMemory, SeriesWriter } from '../../src/core/series.js';
import { SessionIds } from '../../src/core/session_ids.js';
import { NodeUdp } from '../../src/engine/node/udp.js';
import { SelfDials } from '../../src/engine/self_dials.js';
import { ClientTable, createClientMemory } from '../../src/pool/client_table.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import { UdpFlows } from '../../src/session/udp/flows.js';
import { systemClock } from '../../src/system/clock.js';
import { ephemeralPortRange } from '../../src/system/limits.js';
import { systemRandom } from '../../src/system/random.js';
import { systemTimers } from '../../src/system/timers.js';
import { listenerSettings, poolSettings } from '../../test/support/changed.js';

const WORKER = 0 as WorkerId;
const BACKEND = 0 as BackendId;
const LISTENER = 0 as ListenerId;

/** Relays `host` on a port of the kernel's choice to 127.0.0.1:`backendPort`; answers the port. */
export async function startNodeRelay(host: string, backendPort: number): Promise<number> {
  const clock = systemClock;
  const random = systemRandom;
  const ledger = new Ledger(createLedgerMemory());
  ledger.setHealth(BACKEND, 'up');
  ledger.setWeight(BACKEND, 1);
  const selfDials = new SelfDials(ephemeralPortRange);
  const deps = { clock, timers: systemTimers, kernel: null, selfDials };
  const engine = new NodeUdp(10_000, deps);
  const pool = new Pool(poolPlan(backendPort), {
    ledger,
    worker: WORKER,
    clock,
    random,
    freed: () => {},
    ejected: () => {},
  });
  const flows = new UdpFlows({
    engine,
    clock,
    random,
    ledger,
    clients: new ClientTable(createClientMemory(1, random)),
    series: new SeriesWriter(createSeriesMemory(1), WORKER),
    worker: WORKER,
    ids: new SessionIds(WORKER, clock.wallMs()),
    access: () => {},
    internalError: escalate,
    descriptorFreed: () => {},
  });
  engine.attach(flows, () => queueMicrotask(() => flows.tick(clock.nowMs())));
  const [opened] = await flows.listeners.apply(listenerPlan(host), pool);
  if (!opened?.outcome.ok || opened.outcome.local.kind !== 'ip') throw new Error('not opened');
  return opened.outcome.local.port;
}

function listenerPlan(host: string): ListenerPlan {
  const local = ipEndpoint(4, host, 0);
  return {
    id: LISTENER,
    name: 'echo',
    protocol: 'udp',
    sockets: [{ key: 1, source: { kind: 'bind', local, reusePort: 'exclusive' }, socket: 1 }],
    pool: 0 as PoolId,
    routes: [],
    maxSessions: 10_000,
    access: null,
    denied: null,
    settings: listenerSettings({ idleTimeoutMs: 60_000 }),
    series: 0 as SeriesId,
  };
}

function poolPlan(port: number): PoolPlan {
  return {
    id: 0 as PoolId,
    name: 'echo',
    settings: poolSettings({
      policy: { name: 'p2c' },
    }),
    backends: [
      {
        id: BACKEND,
        name: 'echo',
        endpoint: ipEndpoint(4, '127.0.0.1', port),
        weight: 1,
        rank: 0,
        draining: false,
        yielding: false,
      },
    ],
  };
}
