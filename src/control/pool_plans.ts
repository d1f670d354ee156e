/** The pools of the newest plan as one worker knows them, put together from the parts of a plan. */
import type { BackendId, PoolId } from '../core/brand.js';
import type { BackendPlan, PoolChange, PoolPlan } from '../core/plan.js';

export class PoolPlans {
  /** Backends in the plan's order. */
  readonly #backends = new Map<PoolId, Map<BackendId, BackendPlan>>();

  /** Takes a change; answers the whole pool, or null where more of its change follows. */
  take({ gone, backends, state, ...pool }: PoolChange): PoolPlan | null {
    const known = this.#backends.get(pool.id) ?? new Map<BackendId, BackendPlan>();
    this.#backends.set(pool.id, known);
    for (const id of gone) known.delete(id);
    for (const backend of backends) known.set(backend.id, backend);
    return state === 'whole' ? { ...pool, backends: [...known.values()] } : null;
  }

  forget(id: PoolId): void {
    this.#backends.delete(id);
  }
}
