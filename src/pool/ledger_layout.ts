/** What stands where in the ledger's memory. A row is one cache line. */
import {
  MAX_BACKENDS,
  MAX_LEAVING,
  MAX_LISTENERS,
  MAX_POOLS,
  MAX_WORKERS,
} from '../core/limits.js';
import { ACTIVE, ROW } from './backend_row.js';
import { DESCRIPTOR_CELLS } from './descriptor_ledger.js';
import { EJECTION_CELLS } from './ejection_ledger.js';
import { ALL_CHANGES_CELLS, poolChangesBytes } from './row_changes.js';
import { TURN_BYTES } from './shared_turns.js';

/** Of a listener's row: its count, and one bit per worker, in two words. */
export const LISTENER_ACTIVE = 0;
export const LISTENER_WAITING = 1;
/** Of a pool's row: its count, the last ticket, and one bit per worker, in two words. */
export const POOL_QUEUED = 0;
export const POOL_NEXT_TICKET = 1;
export const POOL_ASIDE = 2;

/** Backends' rows come first. */
export const LISTENERS_AT = MAX_BACKENDS * ROW;
export const POOLS_AT = LISTENERS_AT + MAX_LISTENERS * ROW;
/** By pool and worker: the ticket at the head of that worker's queue; 0 = it has none. */
export const HEADS_AT = POOLS_AT + MAX_POOLS * ROW;
/** By worker: its share of each count, so that a lost worker's share can be given back. */
export const SHARES_AT = HEADS_AT + MAX_POOLS * MAX_WORKERS;
export const SHARE_ROW = MAX_BACKENDS + MAX_LISTENERS + MAX_POOLS;
/** Behind the workers: those of processes before this one, and of the one that comes after it. */
export const LEAVING_SHARES_AT = SHARES_AT + MAX_WORKERS * SHARE_ROW;
export const GIVEN_SHARE_AT = LEAVING_SHARES_AT + MAX_LEAVING * SHARE_ROW;
export const CELLS = GIVEN_SHARE_AT + SHARE_ROW;

/** Behind everything that is counted in cells; doubles begin at multiples of 8. */
export const EJECTIONS_AT = CELLS + DESCRIPTOR_CELLS;
const ALL_CHANGES_AT = EJECTIONS_AT + EJECTION_CELLS;
export const ALL_CHANGES_AT_BYTE = ALL_CHANGES_AT * Int32Array.BYTES_PER_ELEMENT;
const COUNTED = ALL_CHANGES_AT + ALL_CHANGES_CELLS;
export const TURNS_AT_BYTE = 8 * Math.ceil((COUNTED * Int32Array.BYTES_PER_ELEMENT) / 8);
/** Last, as many as there are pools; each begins with a cache line. */
export const POOL_CHANGES_AT_BYTE = 64 * Math.ceil((TURNS_AT_BYTE + TURN_BYTES) / 64);

export function ledgerBytes(pools: number): number {
  return POOL_CHANGES_AT_BYTE + poolChangesBytes(pools);
}

/** The cell of the count of which a worker has the share `at`. */
export function countCell(at: number): number {
  if (at < MAX_BACKENDS) return at * ROW + ACTIVE;
  if (at < MAX_BACKENDS + MAX_LISTENERS) {
    return LISTENERS_AT + (at - MAX_BACKENDS) * ROW + LISTENER_ACTIVE;
  }
  return POOLS_AT + (at - MAX_BACKENDS - MAX_LISTENERS) * ROW + POOL_QUEUED;
}
