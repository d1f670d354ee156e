/**
 * Branded numbers: identifiers that must not be mixed though all of them are small integers.
 * They index typed arrays directly; `as` is needed only where one is made.
 */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A listener's row in shared memory, 0 to MAX_LISTENERS - 1; kept over reloads. */
export type ListenerId = Brand<number, 'ListenerId'>;
/** A pool's row in shared memory, 0 to MAX_POOLS - 1; kept over reloads. */
export type PoolId = Brand<number, 'PoolId'>;
/** A backend's row in shared memory, 0 to MAX_BACKENDS - 1; kept over reloads. */
export type BackendId = Brand<number, 'BackendId'>;
/** A row of traffic counters: one listener together with one backend, or with none. */
export type SeriesId = Brand<number, 'SeriesId'>;
/** An engine's slot for one TCP session: a client socket and, once dialled, a backend socket. */
export type PairId = Brand<number, 'PairId'>;
/** An engine's slot for one UDP flow. */
export type FlowId = Brand<number, 'FlowId'>;
/** A data-plane thread, 0 to MAX_WORKERS - 1. */
export type WorkerId = Brand<number, 'WorkerId'>;
