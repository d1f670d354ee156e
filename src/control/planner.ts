/** Draws a Plan from the inventory: what the workers shall do now. Pure. */
import type { AccessTable } from '../core/access_table.js';
import type { WorkerId } from '../core/brand.js';
import type { ListenerPlan, Plan, PoolPlan, SocketPlan } from '../core/plan.js';
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
  /** Who may come to a listener; null: everybody. */
  readonly tableOf: (listenerKey: string) => AccessTable | null;
  /** The sockets of a listener for the worker that the plan is for. */
  readonly sockets: (listener: ListenerEntry, worker: WorkerId) => readonly SocketPlan[];
}

export function drawPlan(inventory: Inventory, worker: WorkerId, input: PlanInput): Plan {
  const poolIds = new Map([...inventory.pools.values()].map((pool) => [pool.key, pool.id]));
  const listeners: ListenerPlan[] = [];
  for (const entry of inventory.listeners.values()) {
    const pool = poolIds.get(entry.spec.pool);
    if (entry.tenure === 'leaving' || pool === undefined) continue;
    const { spec } = entry;
    listeners.push({
      id: entry.id,
      name: spec.name,
      protocol: spec.protocol,
      sockets: input.sockets(entry, worker),
      pool,
      maxSessions: sessionLimit(spec.maxSessions, input.sessionBudget),
      settings: spec.settings,
      access: input.tableOf(entry.key),
      series: entry.series,
    });
  }
  const { version, access, pools } = input;
  return { version, access, listeners, pools };
}

/** The same for all workers. */
export function drawPools(inventory: Inventory): readonly PoolPlan[] {
  return [...inventory.pools.values()]
    .filter((pool) => pool.tenure === 'kept' || pool.backends.size > 0)
    .map((pool) => planPool(inventory, pool));
}

function planPool(inventory: Inventory, entry: PoolEntry): PoolPlan {
  const { spec } = entry;
  return {
    id: entry.id,
    name: spec.name,
    settings: spec.settings,
    backends: [...entry.backends.values()].map((backend) => ({
      id: backend.id,
      name: backend.spec.name,
      endpoint: backend.endpoint,
      weight: backend.spec.weight,
      backup: backend.spec.backup,
      draining: backend.tenure === 'leaving' || inventory.yielding.has(backend),
      yielding: inventory.yielding.has(backend),
    })),
  };
}
