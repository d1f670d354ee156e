/** A backend of a pool as a worker holds it. */
import type { BackendId } from '../core/brand.js';
import { type Endpoint, peerAt, sameAddress } from '../core/endpoint.js';
import type { BackendPlan } from '../core/plan.js';
import type { PooledBackend } from './selection.js';

export class PlannedBackend implements PooledBackend {
  readonly id: BackendId;
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly rank: number;
  /** Out of the file: no new sessions, whatever the ledger still says of it. */
  readonly draining: boolean;
  readonly yielding: boolean;

  constructor(plan: BackendPlan) {
    this.id = plan.id;
    this.name = plan.name;
    this.endpoint = peerAt(plan.endpoint);
    this.rank = plan.rank;
    this.draining = plan.draining;
    this.yielding = plan.yielding;
  }

  /** True when a newer plan's row is about the same address. */
  isAt(plan: BackendPlan): boolean {
    return sameAddress(this.endpoint, plan.endpoint);
  }

  /**
   * True when a newer plan's row says the same, so that this object (and caches by it) may stay.
   */
  sameAs(plan: BackendPlan): boolean {
    return (
      this.rank === plan.rank &&
      this.draining === plan.draining &&
      this.yielding === plan.yielding &&
      this.name === plan.name
    );
  }
}
