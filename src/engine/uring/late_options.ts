/**
 * TCP_NODELAY and SO_KEEPALIVE of the sockets to backends, set when they begin to matter. Nagle's
 * rule (RFC 896) keeps nothing of a first send back, and a peer that has died in silence is looked
 * for after minutes or hours. So a session that asks once, gets the answer and ends needs neither;
 * one that sends again has them before that, and any other after a second. It spares a short
 * session two options and a timer that is armed and stopped again, 2 to 3 % of what it costs.
 */
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { Holder } from './ending.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, type PairTable } from './pairs.js';
import { PAIR_OPTIONS, userData } from './user_data.js';

/** A session that has lasted for this long has its options. */
const LATEST_MS = 1_000;
/** Of thousands that were connected at once: others have their turn in between. */
const MOST_PER_TURN = 256;

/** Nothing is owed. */
const SET = 0;
/** Whatever is sent next is a second send. */
const BEFORE_NEXT_SEND = 1;
const BEFORE_SECOND_SEND = 2;

export class LateOptions implements TurnWork, Holder {
  readonly #loop: Loop;
  readonly #pairs: PairTable;
  readonly #calls: SocketCalls;
  /** By pair: SET, BEFORE_NEXT_SEND or BEFORE_SECOND_SEND. */
  readonly #owed: Uint8Array;
  /** Pairs that were owed something since the last time that all were given what they are owed. */
  readonly #young: number[] = [];
  /** By pair: 1: it is in that list. */
  readonly #listed: Uint8Array;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(loop: Loop, pairs: PairTable, calls: SocketCalls) {
    this.#loop = loop;
    this.#pairs = pairs;
    this.#calls = calls;
    this.#owed = new Uint8Array(pairs.capacity);
    this.#listed = new Uint8Array(pairs.capacity);
    loop.add(this);
  }

  /** The socket of `pair`'s backend is connected, over IP, and has no options yet. */
  connected(pair: number): void {
    this.#owed[pair] = BEFORE_SECOND_SEND;
    if (this.#listed[pair] === 1) return;
    this.#listed[pair] = 1;
    this.#young.push(pair);
    if (this.#dueMs === Number.POSITIVE_INFINITY) this.#dueMs = this.#loop.nowMs + LATEST_MS;
  }

  /** Something may have been sent to `pair`'s backend without a call of `sending`. */
  spoken(pair: number): void {
    if (this.#owed[pair] === BEFORE_SECOND_SEND) this.#owed[pair] = BEFORE_NEXT_SEND;
  }

  /** A send of `direction` is submitted next. */
  sending(direction: number): void {
    if ((direction & 1) === 1) return;
    const pair = direction >> 1;
    const owed = this.#owed[pair];
    if (owed === BEFORE_SECOND_SEND) this.#owed[pair] = BEFORE_NEXT_SEND;
    else if (owed === BEFORE_NEXT_SEND) this.#settle(pair);
  }

  /** More will be sent in `direction`, and not by the ring. */
  splicing(direction: number): void {
    if ((direction & 1) === 0) this.#settle(direction >> 1);
  }

  abandon(): void {}

  clear(pair: number): void {
    this.#owed[pair] = SET;
  }

  after(): void {
    if (this.#loop.nowMs < this.#dueMs) return;
    for (let count = 0; count < MOST_PER_TURN; count++) {
      const pair = this.#young.pop();
      if (pair === undefined) {
        this.#dueMs = Number.POSITIVE_INFINITY;
        return;
      }
      this.#listed[pair] = 0;
      this.#settle(pair);
    }
  }

  dueMs(): number {
    return this.#dueMs;
  }

  #settle(pair: number): void {
    if (this.#owed[pair] === SET) return;
    this.#owed[pair] = SET;
    const fd = this.#pairs.fdOf(2 * pair + 1);
    if (fd === NONE) return;
    const generation = this.#pairs.generation[pair] ?? 0;
    this.#calls.submitOptions(this.#loop.ring, fd, userData(PAIR_OPTIONS, pair), generation);
  }
}
