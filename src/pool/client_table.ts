/**
 * How many sessions each client has at a listener and how fast it comes, exact over all threads: a
 * table in shared memory that never grows. A client stands in one row of one set, which follows
 * from its address by a hash that cannot be foreseen from outside (client_rows.ts). A row is
 * forgotten when another client needs it and it has no meaning any more: no session, and a rate
 * that is at rest. Where every row of the set has a meaning, a new client is not counted.
 */
import { assertShared } from '../core/assert.js';
import type { ListenerId, WorkerId } from '../core/brand.js';
import type { Random } from '../core/random.js';
import { giveBack, nsOf, type Rate, tryCome, waitNs } from './cell_rate.js';
import { ClientRows, NO_CLIENT } from './client_rows.js';
import {
  CLAIMED,
  CLIENT_KEY_WORDS,
  CLIENT_SETS,
  CONTROL,
  COUNT_MASK,
  clientBytes,
  HEAD_WORDS,
  KEY_WORD,
  NEXT,
  SETS_WORD,
  SPAN_COUNT_BITS,
  SPAN_COUNT_MASK,
  SPAN_MS,
  USED_WORD,
  WORKERS_WORD,
} from './client_table_layout.js';

/** Answers of `enter` that are no row. */
export const NOT_COUNTED = -1;
export const TOO_MANY = -2;
export const TOO_FAST = -3;
/** There was no row, and now there may be one. */
const AGAIN = -4;

export interface ClientRule {
  /** Sessions at the same time; 0: any number. */
  readonly sessions: number;
  /** null: as fast as it likes. */
  readonly rate: Rate | null;
  /** Clients of one prefix are one. */
  readonly ipv6PrefixBits: number;
}

/** What the table knows of a client. */
export interface ClientNow {
  readonly listener: ListenerId;
  /** The first address of its prefix: 16 bytes, an IPv4 one as the IPv6 one that stands for it. */
  readonly address: Uint8Array;
  readonly sessions: number;
  /** How many came per second in the last ten, whatever became of them. */
  readonly perSecond: number;
  /** Since it has a row. */
  readonly refused: number;
}

/** Only tests want another number of sets than CLIENT_SETS. */
export function createClientMemory(
  workers: number,
  random: Random,
  sets = CLIENT_SETS,
): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(clientBytes(sets, workers));
  const head = new Int32Array(memory, 0, HEAD_WORDS);
  head[SETS_WORD] = sets;
  head[WORKERS_WORD] = workers;
  for (const word of [KEY_WORD, KEY_WORD + 1]) head[word] = random.next() * 2 ** 32;
  return memory;
}

export class ClientTable extends ClientRows {
  /**
   * A session of `client` (4 or 16 bytes) begins at `listener`: the row that counts it, for
   * `leave`, or TOO_MANY, TOO_FAST or NOT_COUNTED. At no instant does a row count more than the
   * rule says. Two that begin in the same instant, of which one is too fast, may both be refused
   * where only one more has a place.
   */
  enter(
    listener: ListenerId,
    client: Uint8Array,
    rule: ClientRule,
    nowMs: number,
    worker: WorkerId,
  ): number {
    this.ask(listener, client, rule.ipv6PrefixBits);
    const { states, shares, times } = this.cells;
    const nowNs = nsOf(nowMs);
    for (;;) {
      const row = this.find();
      if (row === NO_CLIENT) {
        const made = this.#insert(rule, nowNs, worker);
        if (made === AGAIN) continue;
        if (made >= 0) this.#noteTry(made, nowMs);
        return made;
      }
      const state = Atomics.load(states, row);
      if ((state & COUNT_MASK) >= CLAIMED) {
        this.hideClaimed(row, state);
        continue;
      }
      // Both are true for as long as the state is the same.
      if (!this.isAt(row) || !this.counts(row)) continue;
      const answer = this.#answer(row, state & COUNT_MASK, rule, nowNs);
      if (answer < 0) {
        if (Atomics.load(states, row) !== state) continue;
        return this.#refuse(row, answer, nowMs);
      }
      if (Atomics.compareExchange(states, row, state, (state + NEXT + 1) | 0) !== state) continue;
      // A thread is ended in a loop or at a call only, and not between these two.
      Atomics.add(shares, worker * this.rows + row, 1);
      if (rule.rate !== null && !tryCome(times, row, rule.rate, nowNs)) {
        this.leave(row, worker);
        return this.#refuse(row, TOO_FAST, nowMs);
      }
      this.#noteTry(row, nowMs);
      return row;
    }
  }

  /** What `enter` would answer now, with 0 for any row; nothing is counted. */
  look(listener: ListenerId, client: Uint8Array, rule: ClientRule, nowMs: number): number {
    this.ask(listener, client, rule.ipv6PrefixBits);
    const row = this.find();
    if (row === NO_CLIENT) return 0;
    const count = Atomics.load(this.cells.states, row) & COUNT_MASK;
    return count >= CLAIMED ? 0 : this.#answer(row, count, rule, nsOf(nowMs));
  }

  /** A session that `worker` has counted in `row` is over. */
  leave(row: number, worker: WorkerId): void {
    const { states, shares } = this.cells;
    const share = worker * this.rows + row;
    // Only this worker writes its share: nothing has moved yet when it says that this is wrong.
    assertShared(Atomics.load(shares, share) > 0, 'a client would have fewer sessions than none');
    Atomics.sub(states, row, 1);
    Atomics.sub(shares, share, 1);
  }

  /** Before `leave`: what `row` counts since `cameMs` is no session, and takes no turn. */
  giveTurnBack(row: number, rate: Rate, cameMs: number, nowMs: number): void {
    giveBack(this.cells.times, row, rate, nsOf(cameMs), nsOf(nowMs));
  }

  // ---- the rate of a whole listener ----

  /** How long until a session may begin at `listener`; 0 or less: now. */
  listenerWaitMs(listener: ListenerId, rate: Rate, nowMs: number): number {
    return Number(waitNs(this.cells.listenerTimes, listener, rate, nsOf(nowMs))) / 1e6;
  }

  /** Counts one that begins at `listener` now, or answers false: that is too early. */
  tryBegin(listener: ListenerId, rate: Rate, nowMs: number): boolean {
    return tryCome(this.cells.listenerTimes, listener, rate, nsOf(nowMs));
  }

  // ---- control ----

  /** Every client that has a row now, as it is about now. */
  *clients(nowMs: number): Generator<ClientNow> {
    if (!this.#isUsed) return;
    const { keys, lately, refused, states } = this.cells;
    const span = Math.floor(nowMs / SPAN_MS);
    const part = nowMs / SPAN_MS - span;
    for (let row = 0; row < this.rows; row++) {
      if (!this.counts(row)) continue;
      const sessions = Atomics.load(states, row) & COUNT_MASK;
      const key = keys.slice(CLIENT_KEY_WORDS * row, CLIENT_KEY_WORDS * (row + 1));
      // Another client's by now, or about to be.
      if (sessions >= CLAIMED || !this.isWhole(row, key)) continue;
      const came = (of: number): number => {
        const word = Atomics.load(lately, 2 * row + (of & 1));
        const isThen = (word & ~SPAN_COUNT_MASK) === of << SPAN_COUNT_BITS;
        return isThen ? word & SPAN_COUNT_MASK : 0;
      };
      const perSecond = (came(span) + came(span - 1) * (1 - part)) / (SPAN_MS / 1_000);
      const [listener = 0, ...address] = key;
      yield {
        listener: listener as ListenerId,
        address: bytesOf(address),
        sessions,
        perSecond,
        refused: Atomics.load(refused, row),
      };
    }
  }

  /** Gives back what a lost worker had counted. Only when that thread runs no more. */
  forgetWorker(worker: WorkerId): void {
    const { states, shares } = this.cells;
    if (!this.#isUsed) return;
    for (let row = 0; row < this.rows; row++) {
      const share = worker * this.rows + row;
      // Looked at first: a page that was never written to is not made by a zero.
      const has = Atomics.load(shares, share);
      if (has !== 0) Atomics.store(shares, share, 0);
      if ((Atomics.load(states, row) & COUNT_MASK) === CLAIMED + worker) this.#free(row);
      else if (has !== 0) Atomics.sub(states, row, has);
    }
  }

  /** The row of `listener` is another one's from now on, whose clients begin anew. */
  forgetListener(listener: ListenerId): void {
    const { listenerTimes, keys, states } = this.cells;
    if (Atomics.load(listenerTimes, listener) !== 0n) Atomics.store(listenerTimes, listener, 0n);
    if (!this.#isUsed) return;
    for (let row = 0; row < this.rows; row++) {
      if (keys[CLIENT_KEY_WORDS * row] !== listener || !this.counts(row)) continue;
      const state = Atomics.load(states, row);
      if ((state & COUNT_MASK) === 0 && this.tryClaim(row, state, CONTROL)) this.#free(row);
    }
  }

  get #isUsed(): boolean {
    return Atomics.load(this.cells.head, USED_WORD) !== 0;
  }

  /** A row that is claimed belongs to no client. */
  #free(row: number): void {
    const { states, times } = this.cells;
    this.hide(row);
    Atomics.store(times, row, 0n);
    Atomics.store(states, row, Atomics.load(states, row) & ~COUNT_MASK);
  }

  // ---- judging ----

  /** 0: one more session may begin. */
  #answer(row: number, count: number, { sessions, rate }: ClientRule, nowNs: bigint): number {
    if (sessions !== 0 && count >= sessions) return TOO_MANY;
    if (count === CLAIMED - 1) return NOT_COUNTED;
    const isEarly = rate !== null && waitNs(this.cells.times, row, rate, nowNs) > 0n;
    return isEarly ? TOO_FAST : 0;
  }

  #refuse(row: number, answer: number, nowMs: number): number {
    this.#noteTry(row, nowMs);
    if (answer !== NOT_COUNTED) Atomics.add(this.cells.refused, row, 1);
    return answer;
  }

  /**
   * For people: how many came in these ten seconds, whatever became of them. A number that others
   * change in the same instant may lack one, which does no harm.
   */
  #noteTry(row: number, nowMs: number): void {
    const { lately } = this.cells;
    const span = Math.floor(nowMs / SPAN_MS);
    const at = 2 * row + (span & 1);
    const mark = span << SPAN_COUNT_BITS;
    const before = Atomics.load(lately, at);
    if ((before & ~SPAN_COUNT_MASK) !== mark) Atomics.store(lately, at, mark | 1);
    else if ((before & SPAN_COUNT_MASK) < SPAN_COUNT_MASK) Atomics.add(lately, at, 1);
  }

  /** A row for the client that is asked about, with its first session, or NOT_COUNTED or AGAIN. */
  #insert({ rate }: ClientRule, nowNs: bigint, worker: WorkerId): number {
    const { head, lately, refused, shares, states, times } = this.cells;
    // Before a row is claimed, so that one of a thread that ends then is found.
    if (Atomics.load(head, USED_WORD) === 0) Atomics.store(head, USED_WORD, 1);
    const row = this.claim(nowNs, worker);
    // Others may have come meanwhile, this client too.
    if (row === NO_CLIENT) return this.find() === NO_CLIENT ? NOT_COUNTED : AGAIN;
    this.writeKey(row);
    lately.fill(0, 2 * row, 2 * row + 2);
    refused[row] = 0;
    Atomics.store(times, row, rate === null ? 0n : nowNs + rate.intervalNs);
    Atomics.add(shares, worker * this.rows + row, 1);
    Atomics.store(states, row, (Atomics.load(states, row) & ~COUNT_MASK) | 1);
    if (this.tryPublish(row)) return row;
    Atomics.store(times, row, 0n);
    this.leave(row, worker);
    return AGAIN;
  }
}

function bytesOf(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setInt32(4 * index, word);
  return bytes;
}
