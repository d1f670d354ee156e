/** What stands where in the memory of the client table, and what the bits of its words mean. */
import { MAX_LISTENERS, MAX_WORKERS } from '../core/limits.js';

/** A set is where a client may stand: a word has a bit for each of its rows. */
export const WAYS = 32;
/**
 * With 262,144 rows a set of 32 has no room for one more once in 10^10 while 65,536 clients count,
 * and once in 10^4 while 131,072 do (Poisson).
 */
export const CLIENT_SETS = 8_192;

/** The address as an IPv6 one, and its listener. */
export const CLIENT_KEY_WORDS = 5;

// ---- of a row's state: how many sessions, below a number that changes with each that begins ----
export const COUNT_BITS = 21;
export const COUNT_MASK = (1 << COUNT_BITS) - 1;
export const NEXT = 1 << COUNT_BITS;
/**
 * From here on it is no count: which thread has the row now and may write its key. Control comes
 * last.
 */
export const CLAIMED = COUNT_MASK - MAX_WORKERS;
export const CONTROL = MAX_WORKERS;

// ---- of how many came lately: by ten seconds, even and odd ----
export const SPAN_MS = 10_000;
export const SPAN_COUNT_BITS = 20;
export const SPAN_COUNT_MASK = (1 << SPAN_COUNT_BITS) - 1;

/** Words at the beginning: sets, workers, and the key of the hash. */
export const HEAD_WORDS = 16;
export const SETS_WORD = 0;
export const WORKERS_WORD = 1;
export const KEY_WORD = 2;
/** Not 0: a client has had a row. */
export const USED_WORD = 4;

export interface ClientCells {
  readonly head: Int32Array;
  /** By listener: the time of its own rate. */
  readonly listenerTimes: BigInt64Array;
  /** By set: a bit a row that counts, below a number that changes with each bit. */
  readonly sets: BigInt64Array;
  /** By row. */
  readonly times: BigInt64Array;
  readonly states: Int32Array;
  readonly hashes: Int32Array;
  readonly keys: Int32Array;
  readonly lately: Int32Array;
  readonly refused: Int32Array;
  /** By worker and row: how many of the sessions are its own. */
  readonly shares: Int32Array;
}

/** Cells of 8 bytes come first, and doubles begin at multiples of 8. */
export function clientCells(memory: ArrayBufferLike): ClientCells {
  const head = new Int32Array(memory, 0, HEAD_WORDS);
  const sets = head[SETS_WORD] ?? 0;
  const workers = head[WORKERS_WORD] ?? 0;
  const rows = sets * WAYS;
  let at = 4 * HEAD_WORDS;
  const words64 = (length: number): BigInt64Array => {
    const cells = new BigInt64Array(memory, at, length);
    at += 8 * length;
    return cells;
  };
  const words32 = (length: number): Int32Array => {
    const cells = new Int32Array(memory, at, length);
    at += 4 * length;
    return cells;
  };
  return {
    head,
    listenerTimes: words64(MAX_LISTENERS),
    sets: words64(sets),
    times: words64(rows),
    states: words32(rows),
    hashes: words32(rows),
    keys: words32(CLIENT_KEY_WORDS * rows),
    lately: words32(2 * rows),
    refused: words32(rows),
    shares: words32(workers * rows),
  };
}

export function clientBytes(sets: number, workers: number): number {
  const rows = sets * WAYS;
  const aRow = 8 + 4 * (1 + 1 + CLIENT_KEY_WORDS + 2 + 1 + workers);
  return 4 * HEAD_WORDS + 8 * (MAX_LISTENERS + sets) + aRow * rows;
}
