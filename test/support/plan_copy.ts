/** A plan as a worker has it when it has taken the parts: for tests that ask what is in it. */

import { PoolPlans } from '../../src/control/pool_plans.js';
import { present } from '../../src/core/assert.js';
import type { ListenerId, PoolId } from '../../src/core/brand.js';
import type { ListenerPlan, Plan, PlanPart, PoolPlan } from '../../src/core/plan.js';

export class PlanCopy {
  readonly #listeners = new Map<ListenerId, ListenerPlan>();
  readonly #pools = new Map<PoolId, PoolPlan>();
  readonly #plans = new PoolPlans();
  #end: Extract<PlanPart, { kind: 'done' }> | null = null;

  take(part: PlanPart): void {
    switch (part.kind) {
      case 'pools':
      case 'switch':
        for (const change of part.pools) {
          const pool = this.#plans.take(change);
          if (pool !== null) this.#pools.set(pool.id, pool);
        }
        return;
      case 'leaving':
        for (const id of part.listeners) this.#listeners.delete(id);
        return;
      case 'listeners':
        for (const listener of part.listeners) this.#listeners.set(listener.id, listener);
        return;
      case 'closing':
        return;
      case 'done':
        for (const id of part.pools) {
          this.#pools.delete(id);
          this.#plans.forget(id);
        }
        this.#end = part;
        return;
    }
  }

  pool(id: PoolId): PoolPlan | undefined {
    return this.#pools.get(id);
  }

  /** The plan of the last part that ended one. */
  get plan(): Plan {
    const { version, access } = present(this.#end, 'a plan was taken to its end');
    return {
      version,
      access,
      listeners: [...this.#listeners.values()],
      pools: [...this.#pools.values()],
    };
  }
}
