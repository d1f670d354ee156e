/**
 * The ledger: what every thread must agree on, in shared memory. Counts of sessions a backend and a
 * listener, each backend's health and limits, and who waits in which queue. Workers count, control
 * writes states; both only through Atomics. A row is one cache line, so that two backends do not
 * slow each other down.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, ListenerId, PoolId, WorkerId } from '../core/brand.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS, MAX_WORKERS } from '../core/limits.js';
import { ChangeJournal, EVERY_ROW, JOURNAL_CELLS } from './change_journal.js';
import { DESCRIPTOR_CELLS, DescriptorLedger } from './descriptor_ledger.js';
import { EJECTION_CELLS, EjectionLedger } from './ejection_ledger.js';
import { SharedTurns, TURN_BYTES } from './shared_turns.js';

/** 64 bytes. */
const ROW = 16;

const ACTIVE = 0;
const HEALTH = 1;
const REASONS = 2;
const WEIGHT = 3;
const CAP = 4;
/** 1: the policy of its pool wants to hear of every change of the count. */
const WATCHED = 5;

const LISTENER_ACTIVE = 0;
const LISTENER_WAITING = 1;

const POOL_QUEUED = 0;
const POOL_NEXT_TICKET = 1;
/** A bit a worker, in two words: waiters of it stand aside. */
const POOL_ASIDE = 2;

const BACKENDS_AT = 0;
const LISTENERS_AT = BACKENDS_AT + MAX_BACKENDS * ROW;
const POOLS_AT = LISTENERS_AT + MAX_LISTENERS * ROW;
/** By pool and worker: the ticket at the head of that worker's queue; 0 = it has none. */
const HEADS_AT = POOLS_AT + MAX_POOLS * ROW;
/** By worker: its share of each count, so that a lost worker's share can be given back. */
const SHARES_AT = HEADS_AT + MAX_POOLS * MAX_WORKERS;
const SHARE_ROW = MAX_BACKENDS + MAX_LISTENERS + MAX_POOLS;
const CELLS = SHARES_AT + MAX_WORKERS * SHARE_ROW;

/** Behind everything that is counted in cells; doubles begin at multiples of 8. */
const EJECTIONS_AT = CELLS + DESCRIPTOR_CELLS;
const JOURNAL_AT = EJECTIONS_AT + EJECTION_CELLS;
const COUNTED = JOURNAL_AT + JOURNAL_CELLS;
const TURNS_AT_BYTE = 8 * Math.ceil((COUNTED * Int32Array.BYTES_PER_ELEMENT) / 8);

/** Thousandths: effective weights are whole numbers in shared memory. */
const WEIGHT_SCALE = 1000;

/** `standby`: its probes find it well, but in another role than the pool wants. */
const HEALTH_STATES = ['unproven', 'up', 'down', 'standby'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** Reasons, beside health, why a backend gets no new sessions. */
export const CLOSED_BECAUSE = { ejected: 1, removed: 2, expired: 4 } as const;
export type ClosedBecause = keyof typeof CLOSED_BECAUSE;

export function createLedgerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(TURNS_AT_BYTE + TURN_BYTES);
}

export class Ledger {
  /** Evidence against backends, and who is ejected. */
  readonly ejections: EjectionLedger;
  /** What sessions and flows of all listeners have together. */
  readonly descriptors: DescriptorLedger;
  /** Backends whose row has changed; counts only where a cap is reached or left, or watched. */
  readonly changes: ChangeJournal;
  readonly #memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#cells = new Int32Array(memory, 0, CELLS);
    const at = (cell: number): number => cell * Int32Array.BYTES_PER_ELEMENT;
    this.descriptors = new DescriptorLedger(new Int32Array(memory, at(CELLS), DESCRIPTOR_CELLS));
    this.ejections = new EjectionLedger(new Int32Array(memory, at(EJECTIONS_AT), EJECTION_CELLS));
    this.changes = new ChangeJournal(new Int32Array(memory, at(JOURNAL_AT), JOURNAL_CELLS));
  }

  // ---- backends: counts (workers) ----

  active(backend: BackendId): number {
    return Atomics.load(this.#cells, backend * ROW + ACTIVE);
  }

  /**
   * Reserves one session at `backend`, or answers false when that would pass its cap. The count
   * moves by compare-and-swap, never by add and take back: it is at no instant above the cap.
   */
  tryTake(backend: BackendId, worker: WorkerId): boolean {
    const cap = Atomics.load(this.#cells, backend * ROW + CAP);
    const most = cap === 0 ? Number.MAX_SAFE_INTEGER : cap;
    const before = this.#raise(backend * ROW + ACTIVE, most);
    if (before < 0) return false;
    this.#share(worker, backend);
    this.#counted(backend, before + 1);
    return true;
  }

  giveBack(backend: BackendId, worker: WorkerId): void {
    const before = this.#lower(backend * ROW + ACTIVE, worker, backend);
    this.#counted(backend, before);
  }

  /** Every change of the count is noted from now on, until the row is another backend's. */
  watchCounts(backend: BackendId): void {
    Atomics.store(this.#cells, backend * ROW + WATCHED, 1);
  }

  /** Sessions and flows that `worker` has at `backend`. */
  activeIn(worker: WorkerId, backend: BackendId): number {
    return Atomics.load(this.#cells, SHARES_AT + worker * SHARE_ROW + backend);
  }

  // ---- backends: states (control writes, workers read) ----

  health(backend: BackendId): HealthState {
    return HEALTH_STATES[Atomics.load(this.#cells, backend * ROW + HEALTH)] ?? 'unproven';
  }

  setHealth(backend: BackendId, state: HealthState): void {
    this.#set(backend, HEALTH, HEALTH_STATES.indexOf(state));
  }

  /** A bit set of CLOSED_BECAUSE. */
  closed(backend: BackendId): number {
    return Atomics.load(this.#cells, backend * ROW + REASONS);
  }

  setClosed(backend: BackendId, reason: ClosedBecause): void {
    const bit = CLOSED_BECAUSE[reason];
    const before = Atomics.or(this.#cells, backend * ROW + REASONS, bit);
    if ((before & bit) === 0) this.changes.note(backend);
  }

  clearClosed(backend: BackendId, reason: ClosedBecause): void {
    const bit = CLOSED_BECAUSE[reason];
    const before = Atomics.and(this.#cells, backend * ROW + REASONS, ~bit);
    if ((before & bit) !== 0) this.changes.note(backend);
  }

  /** Effective weight: configured weight times slow start and degradation; 0 to 1000. */
  weight(backend: BackendId): number {
    return Atomics.load(this.#cells, backend * ROW + WEIGHT) / WEIGHT_SCALE;
  }

  setWeight(backend: BackendId, weight: number): void {
    const scaled = weight > 0 ? Math.max(1, Math.round(weight * WEIGHT_SCALE)) : 0;
    this.#set(backend, WEIGHT, scaled);
  }

  /** Effective cap; 0 = none. */
  cap(backend: BackendId): number {
    return Atomics.load(this.#cells, backend * ROW + CAP);
  }

  setCap(backend: BackendId, cap: number): void {
    this.#set(backend, CAP, cap);
  }

  /** Makes a row new for another backend. Its count must be zero. */
  resetBackend(backend: BackendId): void {
    assertShared(
      this.active(backend) === 0,
      'a backend row is used again while sessions are counted',
    );
    this.#cells.fill(0, backend * ROW, (backend + 1) * ROW);
    this.ejections.reset(backend);
    this.changes.note(backend);
  }

  // ---- listeners ----

  listenerActive(listener: ListenerId): number {
    return Atomics.load(this.#cells, LISTENERS_AT + listener * ROW + LISTENER_ACTIVE);
  }

  tryTakeListener(listener: ListenerId, cap: number, worker: WorkerId): boolean {
    if (this.#raise(LISTENERS_AT + listener * ROW + LISTENER_ACTIVE, cap) < 0) return false;
    this.#share(worker, MAX_BACKENDS + listener);
    return true;
  }

  giveBackListener(listener: ListenerId, worker: WorkerId): void {
    const cell = LISTENERS_AT + listener * ROW + LISTENER_ACTIVE;
    this.#lower(cell, worker, MAX_BACKENDS + listener);
  }

  /** Marks that `worker` stopped accepting at the listener's cap and wants to be told of room. */
  setListenerWaiting(listener: ListenerId, worker: WorkerId, state: 'waiting' | 'accepting'): void {
    const [word, bit] = waitingBit(listener, worker);
    if (state === 'waiting') Atomics.or(this.#cells, word, bit);
    else Atomics.and(this.#cells, word, ~bit);
  }

  listenerWaiting(listener: ListenerId, worker: WorkerId): boolean {
    const [word, bit] = waitingBit(listener, worker);
    return (Atomics.load(this.#cells, word) & bit) !== 0;
  }

  anyListenerWaiting(listener: ListenerId): boolean {
    const word = LISTENERS_AT + listener * ROW + LISTENER_WAITING;
    return Atomics.load(this.#cells, word) !== 0 || Atomics.load(this.#cells, word + 1) !== 0;
  }

  resetListener(listener: ListenerId): void {
    assertShared(
      this.listenerActive(listener) === 0,
      'a listener row is used again while it is counted',
    );
    this.#cells.fill(0, LISTENERS_AT + listener * ROW, LISTENERS_AT + (listener + 1) * ROW);
  }

  // ---- turns ----

  /** The position of the pool's round-robin, as `worker` moves it. */
  turnsOf(pool: PoolId, worker: WorkerId): SharedTurns {
    return new SharedTurns(this.#memory, TURNS_AT_BYTE, pool, worker);
  }

  // ---- queues ----

  queued(pool: PoolId): number {
    return Atomics.load(this.#cells, POOLS_AT + pool * ROW + POOL_QUEUED);
  }

  /**
   * Takes a place in the pool's queue, or answers 0 when `size` wait already. Tickets are never 0.
   */
  tryEnqueue(pool: PoolId, size: number, worker: WorkerId): number {
    const row = POOLS_AT + pool * ROW;
    if (this.#raise(row + POOL_QUEUED, size) < 0) return 0;
    this.#share(worker, MAX_BACKENDS + MAX_LISTENERS + pool);
    const ticket = Atomics.add(this.#cells, row + POOL_NEXT_TICKET, 1) + 1;
    return ticket === 0 ? this.#skipZeroTicket(row) : ticket;
  }

  dequeue(pool: PoolId, worker: WorkerId): void {
    const cell = POOLS_AT + pool * ROW + POOL_QUEUED;
    this.#lower(cell, worker, MAX_BACKENDS + MAX_LISTENERS + pool);
  }

  /** Publishes the ticket at the head of `worker`'s queue; 0 = it has none. */
  setHead(pool: PoolId, worker: WorkerId, ticket: number): void {
    Atomics.store(this.#cells, HEADS_AT + pool * MAX_WORKERS + worker, ticket);
  }

  /** Tells whether waiters of `worker` stand aside, for whom a place may become free elsewhere. */
  setAside(pool: PoolId, worker: WorkerId, aside: 'some' | 'none'): void {
    if (this.isAside(pool, worker) === (aside === 'some')) return;
    const word = POOLS_AT + pool * ROW + POOL_ASIDE + (worker >>> 5);
    if (aside === 'some') Atomics.or(this.#cells, word, 1 << (worker & 31));
    else Atomics.and(this.#cells, word, ~(1 << (worker & 31)));
  }

  isAside(pool: PoolId, worker: WorkerId): boolean {
    const word = POOLS_AT + pool * ROW + POOL_ASIDE + (worker >>> 5);
    return (Atomics.load(this.#cells, word) & (1 << (worker & 31))) !== 0;
  }

  anyAside(pool: PoolId): boolean {
    const word = POOLS_AT + pool * ROW + POOL_ASIDE;
    return Atomics.load(this.#cells, word) !== 0 || Atomics.load(this.#cells, word + 1) !== 0;
  }

  /**
   * The worker whose head has waited longest, or -1. Tickets wrap, so they compare by difference.
   */
  longestWaiting(pool: PoolId, workers: number): WorkerId | -1 {
    let best = 0;
    let owner = -1;
    for (let worker = 0; worker < workers; worker++) {
      const ticket = Atomics.load(this.#cells, HEADS_AT + pool * MAX_WORKERS + worker);
      if (ticket !== 0 && (owner === -1 || ((ticket - best) | 0) < 0)) {
        best = ticket;
        owner = worker;
      }
    }
    return owner as WorkerId | -1;
  }

  // ---- lost workers ----

  /** Sessions and flows that `worker` has at its listeners. */
  sessionsOf(worker: WorkerId): number {
    const first = SHARES_AT + worker * SHARE_ROW + MAX_BACKENDS;
    let sum = 0;
    for (let at = 0; at < MAX_LISTENERS; at++) sum += Atomics.load(this.#cells, first + at);
    return sum;
  }

  /** Gives back everything that a lost worker had counted. Only when that thread runs no more. */
  forgetWorker(worker: WorkerId): void {
    this.descriptors.forgetWorker(worker);
    const share = SHARES_AT + worker * SHARE_ROW;
    // Looked at first: what was never written must not be made by a zero.
    for (let at = 0; at < SHARE_ROW; at++) {
      if (Atomics.load(this.#cells, share + at) === 0) continue;
      const count = Atomics.exchange(this.#cells, share + at, 0);
      Atomics.sub(this.#cells, countCell(at), count);
    }
    for (let pool = 0; pool < MAX_POOLS; pool++) {
      const id = pool as PoolId;
      if (Atomics.load(this.#cells, HEADS_AT + pool * MAX_WORKERS + worker) !== 0) {
        this.setHead(id, worker, 0);
      }
      this.setAside(id, worker, 'none');
    }
    for (let listener = 0; listener < MAX_LISTENERS; listener++) {
      const id = listener as ListenerId;
      if (this.listenerWaiting(id, worker)) this.setListenerWaiting(id, worker, 'accepting');
    }
    this.changes.note(EVERY_ROW);
  }

  #set(backend: BackendId, cell: number, value: number): void {
    const before = Atomics.exchange(this.#cells, backend * ROW + cell, value);
    if (before !== value) this.changes.note(backend);
  }

  /** The count has come from `most`, or to it: noted if it is watched, or was or is full. */
  #counted(backend: BackendId, most: number): void {
    const cap = Atomics.load(this.#cells, backend * ROW + CAP);
    const isWatched = Atomics.load(this.#cells, backend * ROW + WATCHED) !== 0;
    if (isWatched || (cap !== 0 && most >= cap)) this.changes.note(backend);
  }

  /** The count of before, or -1 when one more would pass `cap`. */
  #raise(cell: number, cap: number): number {
    let now = Atomics.load(this.#cells, cell);
    while (now < cap) {
      const seen = Atomics.compareExchange(this.#cells, cell, now, now + 1);
      if (seen === now) return now;
      now = seen;
    }
    return -1;
  }

  /**
   * Gives back one of what `worker` has, and answers the count before. Nobody else writes its share,
   * so it is looked at first: a count that others rely on has not moved when this is wrong.
   */
  #lower(cell: number, worker: WorkerId, at: number): number {
    const share = SHARES_AT + worker * SHARE_ROW + at;
    const has = Atomics.load(this.#cells, share);
    assertShared(has > 0, "a worker's share in the ledger would fall below zero");
    const before = Atomics.sub(this.#cells, cell, 1);
    Atomics.sub(this.#cells, share, 1);
    return before;
  }

  #share(worker: WorkerId, at: number): void {
    Atomics.add(this.#cells, SHARES_AT + worker * SHARE_ROW + at, 1);
  }

  #skipZeroTicket(row: number): number {
    return Atomics.add(this.#cells, row + POOL_NEXT_TICKET, 1) + 1;
  }
}

function waitingBit(listener: ListenerId, worker: WorkerId): [word: number, bit: number] {
  return [LISTENERS_AT + listener * ROW + LISTENER_WAITING + (worker >>> 5), 1 << (worker & 31)];
}

function countCell(at: number): number {
  if (at < MAX_BACKENDS) return BACKENDS_AT + at * ROW + ACTIVE;
  if (at < MAX_BACKENDS + MAX_LISTENERS) {
    return LISTENERS_AT + (at - MAX_BACKENDS) * ROW + LISTENER_ACTIVE;
  }
  return POOLS_AT + (at - MAX_BACKENDS - MAX_LISTENERS) * ROW + POOL_QUEUED;
}
