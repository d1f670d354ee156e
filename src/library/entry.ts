/** A backend of a balancer: its row in the ledger, and what an application sees of it. */
import type { BackendId } from '../core/brand.js';
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import { backendKey } from '../core/identity.js';
import type { BackendPlan } from '../core/plan.js';
import type { BackendSpec, PoolSpec } from '../core/spec.js';

/** What an application gets of a backend. */
export interface Backend {
  readonly name: string;
  /** Where it is now, after names were resolved: `10.0.0.1:5432`, `[::1]:53`, `unix:/run/x`. */
  readonly address: string;
  /** An IP address; of a unix socket its path. */
  readonly host: string;
  /** 0 of a unix socket. */
  readonly port: number;
}

/** `kept`: it is asked for; `leaving`: it is not any more, and still has sessions. */
type Tenure = 'kept' | 'leaving';

export class Entry {
  readonly id: BackendId;
  readonly endpoint: Endpoint;
  readonly view: Backend;
  spec: BackendSpec;
  readonly pool: { spec: PoolSpec };
  tenure: Tenure = 'kept';
  /** The application drains it. */
  admin: 'ready' | 'drained' = 'ready';

  constructor(id: BackendId, endpoint: Endpoint, spec: BackendSpec, pool: { spec: PoolSpec }) {
    this.id = id;
    this.endpoint = endpoint;
    this.spec = spec;
    this.pool = pool;
    const isIp = endpoint.kind === 'ip';
    this.view = Object.freeze({
      name: spec.name,
      address: formatAddress(endpoint),
      host: isIp ? endpoint.host : endpoint.path,
      port: isIp ? endpoint.port : 0,
    });
  }

  get key(): string {
    return backendKey(this.spec, this.endpoint);
  }

  plan(rank: number): BackendPlan {
    const { id, endpoint, spec, tenure } = this;
    const { name, weight } = spec;
    return { id, name, endpoint, weight, rank, draining: tenure === 'leaving', yielding: false };
  }
}
