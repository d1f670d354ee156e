/**
 * What the workers shall do: the Spec with identifiers, resolved addresses and descriptors filled
 * in by control. A plan is plain data (structured clone) and complete; it travels in parts, each so
 * small that a worker applies it between two turns of its engine: what differs from the plan
 * before, or all of it for a worker that has none. Rows in shared memory stay the same over plans
 * for what stays.
 */
import type { AccessTable } from './access_table.js';
import type { BackendId, ListenerId, PoolId, SeriesId } from './brand.js';
import type { Endpoint } from './endpoint.js';
import type { AccessLevel, ListenerSettings, PoolSettings, RouteConditions } from './spec.js';

export interface Plan {
  /** Grows by one with each plan; a worker reports the last one that it applied. */
  readonly version: number;
  readonly access: AccessLevel;
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
}

/** How a worker gets its listening socket. */
export type ListenSource =
  /**
   * A descriptor that control made for this worker, keeps for a worker that takes over, and closes
   * when no plan names it any more. An engine that must own one duplicates it.
   */
  | { readonly kind: 'descriptor'; readonly fd: number; readonly local: Endpoint }
  /** The worker binds by itself (no foreign calls on this machine). */
  | { readonly kind: 'bind'; readonly local: Endpoint; readonly reusePort: 'shared' | 'exclusive' };

export interface SocketPlan {
  readonly key: number;
  readonly source: ListenSource;
  /**
   * Which open socket it is: the same number under two keys means that one listener has it instead
   * of another. No number is used again.
   */
  readonly socket: number;
}

/** Where the clients of a listener go. */
export interface Directions {
  /** Where all of them go, unless there are routes. null: they are refused. */
  readonly pool: PoolId | null;
  /** The first that fits decides; where there are any, the last one fits every session. */
  readonly routes: readonly RoutePlan[];
  /** Counters for sessions that never had a backend, nor a route where there are some. */
  readonly series: SeriesId;
}

export interface RoutePlan {
  readonly conditions: RouteConditions;
  /** null: sessions that fit are refused. */
  readonly pool: PoolId | null;
  /** Counters for sessions that it leads to `pool` and that never had a backend there. */
  readonly series: SeriesId;
}

export interface ListenerPlan extends Directions {
  readonly id: ListenerId;
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /**
   * One a bound address, and while another worker does not serve, its sockets too; `key` is stable
   * over plans for a socket that stays open.
   */
  readonly sockets: readonly SocketPlan[];
  /** Always above 0: control has put the descriptor budget in place of 0. */
  readonly maxSessions: number;
  readonly settings: ListenerSettings;
  /** Which clients may connect; null: all. */
  readonly access: AccessTable | null;
  /** Clients that an operator has denied, at every listener; null: none. */
  readonly denied: AccessTable | null;
}

export interface PoolPlan {
  readonly id: PoolId;
  readonly name: string;
  readonly settings: PoolSettings;
  readonly backends: readonly BackendPlan[];
}

export interface BackendPlan {
  readonly id: BackendId;
  readonly name: string;
  /** Immutable: a backend whose address changes becomes another backend. */
  readonly endpoint: Endpoint;
  /** As configured, 0 to 1000; the effective weight is in the ledger. */
  readonly weight: number;
  /** 0: no backup. It serves while no backend of a lower rank is eligible. */
  readonly rank: number;
  /** Removed from the file: no new sessions; its sessions end by `CloseOrder`s. */
  readonly draining: boolean;
  /**
   * Gets no session now, because of a change that is about to come: a session that finds no other
   * backend waits.
   */
  readonly yielding: boolean;
}

/** What differs of a pool. */
export interface PoolChange extends Omit<PoolPlan, 'backends'> {
  /** Rows that are not of this pool any more, or another backend's from now on. */
  readonly gone: readonly BackendId[];
  /** New backends, behind those that stay, and those with other settings. */
  readonly backends: readonly BackendPlan[];
  /** Nothing of the pool is applied before all of its change is there. */
  readonly state: 'whole' | 'more follows';
}

/** Where an open socket leads from now on; whose it is then comes with the listeners. */
export interface SocketLead {
  readonly listener: ListenerId;
  readonly protocol: 'tcp' | 'udp';
  readonly key: number;
  readonly directions: Directions;
}

/** In this order; `done` ends each plan, and is acknowledged. */
export type PlanPart =
  | { readonly kind: 'pools'; readonly pools: readonly PoolChange[] }
  /**
   * Pools that change while sockets leave them, and where these lead: all of it in one instant, or
   * clients of a socket would go to backends that neither plan has for it.
   */
  | {
      readonly kind: 'switch';
      readonly pools: readonly PoolChange[];
      readonly leads: readonly SocketLead[];
    }
  /** Listeners that leave, and those that are new or different, which the next parts describe. */
  | {
      readonly kind: 'leaving';
      readonly listeners: readonly ListenerId[];
      readonly coming: readonly ListenerId[];
    }
  | { readonly kind: 'listeners'; readonly listeners: readonly ListenerPlan[] }
  /** Of those that leave: new sockets are open by now. */
  | { readonly kind: 'closing'; readonly listeners: readonly ListenerId[] }
  | {
      readonly kind: 'done';
      readonly version: number;
      readonly access: AccessLevel;
      /** Pools that are in no plan any more. */
      readonly pools: readonly PoolId[];
    };
