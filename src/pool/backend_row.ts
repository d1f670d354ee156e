/**
 * What stands in the row of a backend, and in which cell: one cache line, which each session reads
 * when it is chosen, answered and over. Of thousands of backends each further one is in no cache.
 */

/** 64 bytes; rows of listeners and pools have as many. */
export const ROW = 16;

export const ACTIVE = 0;
// States, which control writes.
export const HEALTH_CELL = 1;
export const REASONS = 2;
export const WEIGHT = 3;
export const CAP = 4;
/** The pool whose workers follow the row, plus one; 0: none yet. */
export const FOLLOWED_BY = 5;
// Evidence against it: see ejection_ledger.ts.
export const FAILURES = 6;
export const RUN_START = 7;
export const TERM = 8;
/** Two words with a bit per worker: its policy keeps an order by the count. */
export const WATCHERS = 9;
