/**
 * Which backends' rows have changed, in the order of the changes: a ring in shared memory that any
 * thread writes and each reader reads at its own pace. So a reader follows one change by one look,
 * however many backends there are; one that has missed more than the ring holds looks at all rows.
 *
 * Writing is lock-free: an entry is put by compare-and-swap into the slot behind the last one, and
 * only then does the head move, by whichever thread comes next. So no entry is seen before it is
 * there, and a thread that ends in between stops no other. The row changes first, the entry comes
 * after it.
 */
import type { BackendId } from '../core/brand.js';

/**
 * An entry: the row in the low bits, and above it the lap of the ring, to distinguish old from new.
 */
const LAP_AT = 16;
const ENTRY_MASK = 2 ** LAP_AT - 1;
const LAP_MASK = 2 ** (32 - LAP_AT) - 1;
/** Of an entry: nothing but the count has changed, and it neither reached a cap nor left it. */
const COUNT_ONLY = 2 ** 15;
/** Stands for every row; no row has this number. */
export const EVERY_ROW = ENTRY_MASK;

/** How many entries were ever written, modulo 2^32. */
const HEAD = 0;
/** How often the head has passed a multiple of 2^31: a whole round is not taken for none. */
const ROUNDS = 1;
/** A cache line further. */
const SLOTS_AT = 16;

/** Of a ring that holds 2^`slotBits` entries. */
export function journalCells(slotBits: number): number {
  return SLOTS_AT + 2 ** slotBits;
}

export class ChangeJournal {
  readonly #cells: Int32Array;
  readonly #slotBits: number;

  /** `cells`: as many as `journalCells` says. */
  constructor(cells: Int32Array) {
    this.#cells = cells;
    this.#slotBits = slotBitsOf(cells);
  }

  /** The row of `backend` has changed, in any way. */
  note(backend: BackendId): void {
    this.#write(backend);
  }

  /** The row of `backend` has another count, and nothing follows from it but the count. */
  noteCount(backend: BackendId): void {
    this.#write(backend | COUNT_ONLY);
  }

  noteAll(): void {
    this.#write(EVERY_ROW);
  }

  /** Reads from here on. */
  reader(): ChangeReader {
    return new ChangeReader(this.#cells);
  }

  #write(what: number): void {
    const cells = this.#cells;
    const bits = this.#slotBits;
    for (;;) {
      const head = Atomics.load(cells, HEAD);
      const slot = slotOf(head, bits);
      const lap = lapOf(head, bits);
      const found = Atomics.load(cells, slot);
      if (lapIn(found) === lap) this.#advance(head);
      else if (lapIn(found) === ((lap - 1) & LAP_MASK)) {
        const entry = (lap << LAP_AT) | what;
        if (Atomics.compareExchange(cells, slot, found, entry) === found) {
          return this.#advance(head);
        }
      }
      // Neither: the head has moved on meanwhile.
    }
  }

  #advance(head: number): void {
    const next = (head + 1) | 0;
    const isMoved = Atomics.compareExchange(this.#cells, HEAD, head, next) === head;
    if (isMoved && (next & 0x7fff_ffff) === 0) Atomics.add(this.#cells, ROUNDS, 1);
  }
}

export class ChangeReader {
  readonly #cells: Int32Array;
  readonly #slotBits: number;
  #cursor: number;
  #rounds: number;

  constructor(cells: Int32Array) {
    this.#cells = cells;
    this.#slotBits = slotBitsOf(cells);
    this.#rounds = Atomics.load(cells, ROUNDS);
    this.#cursor = Atomics.load(cells, HEAD);
  }

  /** Entries that were not read yet; Infinity when some are lost. */
  get unread(): number {
    const rounds = Atomics.load(this.#cells, ROUNDS);
    const unread = (Atomics.load(this.#cells, HEAD) - this.#cursor) | 0;
    const slots = 1 << this.#slotBits;
    const isLost = unread < 0 || unread > slots || ((rounds - this.#rounds) | 0) > 1;
    return isLost ? Number.POSITIVE_INFINITY : unread;
  }

  /** Leaves out what was not read: rows that are read from now on are newer. */
  skip(): void {
    this.#rounds = Atomics.load(this.#cells, ROUNDS);
    this.#cursor = Atomics.load(this.#cells, HEAD);
  }

  /**
   * The next of the unread ones, of which there is one, for `rowIn` and `isCountOnly`; EVERY_ROW
   * also where it was lost.
   */
  next(): number {
    const bits = this.#slotBits;
    const entry = Atomics.load(this.#cells, slotOf(this.#cursor, bits));
    if (lapIn(entry) !== lapOf(this.#cursor, bits)) return EVERY_ROW;
    this.#cursor = (this.#cursor + 1) | 0;
    if ((this.#cursor & 0x7fff_ffff) === 0) this.#rounds = (this.#rounds + 1) | 0;
    return entry & ENTRY_MASK;
  }
}

export function rowIn(entry: number): BackendId {
  return (entry & ~COUNT_ONLY) as BackendId;
}

export function isCountOnly(entry: number): boolean {
  return (entry & COUNT_ONLY) !== 0 && entry !== EVERY_ROW;
}

function slotBitsOf(cells: Int32Array): number {
  return 31 - Math.clz32(cells.length - SLOTS_AT);
}

function slotOf(at: number, slotBits: number): number {
  return SLOTS_AT + (at & ((1 << slotBits) - 1));
}

/** Of the entry that is written at `at`; the first lap is 1, for cells begin as 0. */
function lapOf(at: number, slotBits: number): number {
  return ((at >>> slotBits) + 1) & LAP_MASK;
}

function lapIn(entry: number): number {
  return entry >>> LAP_AT;
}
