/** Draws a Plan from the inventory: what the workers shall do now. Pure. */
import type { AccessTable } from '../core/access_table.js';
import type { PoolId, WorkerId } from '../core/brand.js';
import type {
  Directions,
  ListenerPlan,
  Plan,
  PoolPlan,
  RoutePlan,
  SocketPlan,
} from '../core/plan.js';
import { ranksOf } from '../core/ranks.js';
import { EVERY_SESSION, poolsOf } from '../core/routes.js';
import type { AccessLevel } from '../core/spec.js';
import type { Inventory, ListenerEntry, PoolEntry } from './inventory.js';
import { sessionLimit } from './sizing.js';

export interface PlanInput {
  readonly version: number;
  readonly access: AccessLevel;
  /** From `drawPools`. */
  readonly pools: readonly PoolPlan[];
  /** What `max_sessions = 0` means: the descriptor budget. */
  readonly sessionBudget: number;
  /** Which clients may connect to a listener; null: all. */
  readonly tableOf: (listenerKey: string) => AccessTable | null;
  /** Clients that an operator has denied. */
  readonly denied: AccessTable | null;
  /** The sockets of a listener for the worker that the plan is for. */
  readonly sockets: (listener: ListenerEntry, worker: WorkerId) => readonly SocketPlan[];
}

export function drawPlan(inventory: Inventory, worker: WorkerId, input: PlanInput): Plan {
  const poolIds = new Map([...inventory.pools.values()].map((pool) => [pool.key, pool.id]));
  const listeners: ListenerPlan[] = [];
  for (const entry of inventory.listeners.values()) {
    const { spec } = entry;
    const isComplete = poolsOf(spec).every((pool) => poolIds.has(pool));
    if (entry.tenure === 'leaving' || !isComplete) continue;
    listeners.push({
      id: entry.id,
      name: spec.name,
      protocol: spec.protocol,
      sockets: input.sockets(entry, worker),
      ...directionsOf(entry, (pool) => poolIds.get(pool) ?? null),
      maxSessions: sessionLimit(spec.maxSessions, input.sessionBudget),
      settings: spec.settings,
      access: input.tableOf(entry.key),
      denied: input.denied,
    });
  }
  const { version, access, pools } = input;
  return { version, access, listeners, pools };
}

/** Sessions that no route of the file takes: they come last, as a route that fits every session. */
function directionsOf(
  { spec, series, unreached }: ListenerEntry,
  idOf: (pool: string) => PoolId | null,
): Directions {
  const to = (pool: string | null): Omit<RoutePlan, 'conditions'> => ({
    pool: pool === null ? null : idOf(pool),
    series: unreached.get(pool ?? '') ?? series,
  });
  const { routes } = spec;
  return {
    pool: to(spec.pool).pool,
    routes:
      routes.length === 0
        ? []
        : [...routes, { conditions: EVERY_SESSION, pool: spec.pool }].map(
            ({ conditions, pool }) => ({
              conditions,
              ...to(pool),
            }),
          ),
    series,
  };
}

/** The same for all workers. */
export function drawPools(inventory: Inventory): readonly PoolPlan[] {
  return [...inventory.pools.values()]
    .filter((pool) => pool.tenure === 'kept' || pool.backends.size > 0)
    .map((pool) => planPool(inventory, pool));
}

function planPool(inventory: Inventory, entry: PoolEntry): PoolPlan {
  const { spec } = entry;
  const rankOf = ranksOf(spec);
  return {
    id: entry.id,
    name: spec.name,
    settings: spec.settings,
    backends: [...entry.backends.values()].map((backend) => ({
      id: backend.id,
      name: backend.spec.name,
      endpoint: backend.endpoint,
      weight: backend.spec.weight,
      rank: rankOf(backend.spec),
      draining: backend.tenure === 'leaving' || inventory.yielding.has(backend),
      yielding: inventory.yielding.has(backend),
    })),
  };
}
