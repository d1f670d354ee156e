/**
 * The ledger: what every thread must agree on, in shared memory. Counts of sessions per backend and
 * listener, each backend's health and limits, and which worker waits in which queue. Workers count,
 * control writes states; both only through Atomics, but for what a worker alone writes. A row is
 * one cache line, so that two backends do not slow each other down.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, ListenerId, PoolId, WorkerId } from '../core/brand.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS, MAX_WORKERS } from '../core/limits.js';
import { ROW } from './backend_row.js';
import { BackendRows } from './backend_rows.js';
import { DESCRIPTOR_CELLS, DescriptorLedger } from './descriptor_ledger.js';
import { EJECTION_CELLS, EjectionLedger } from './ejection_ledger.js';
import {
  CELLS,
  countCell,
  EJECTIONS_AT,
  HEADS_AT,
  LISTENER_ACTIVE,
  LISTENER_WAITING,
  LISTENERS_AT,
  ledgerBytes,
  POOL_ASIDE,
  POOL_NEXT_TICKET,
  POOL_QUEUED,
  POOLS_AT,
  SHARE_ROW,
  SHARES_AT,
  TURNS_AT_BYTE,
} from './ledger_layout.js';
import { OtherProcesses } from './other_processes.js';
import { SharedTurns } from './shared_turns.js';

export function createLedgerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(ledgerBytes(MAX_POOLS));
}

/** For one thread alone, with one pool: number 0. */
export function createOwnLedgerMemory(): ArrayBuffer {
  return new ArrayBuffer(ledgerBytes(1));
}

export class Ledger extends BackendRows {
  /** Evidence against backends, and which are ejected. */
  readonly ejections: EjectionLedger;
  /** What sessions and flows of all listeners have together. */
  readonly descriptors: DescriptorLedger;
  /** What sessions of other processes have of the counts. */
  readonly others: OtherProcesses;
  readonly #memory: ArrayBufferLike;

  constructor(memory: ArrayBufferLike) {
    super(memory);
    this.#memory = memory;
    const at = (cell: number): number => cell * Int32Array.BYTES_PER_ELEMENT;
    this.descriptors = new DescriptorLedger(new Int32Array(memory, at(CELLS), DESCRIPTOR_CELLS));
    const ejections = new Int32Array(memory, at(EJECTIONS_AT), EJECTION_CELLS);
    this.ejections = new EjectionLedger(ejections, this.cells);
    this.others = new OtherProcesses(this.cells, this.changes);
  }

  override resetBackend(backend: BackendId): void {
    super.resetBackend(backend);
    this.ejections.reset(backend);
  }

  // ---- listeners ----

  listenerActive(listener: ListenerId): number {
    return Atomics.load(this.cells, LISTENERS_AT + listener * ROW + LISTENER_ACTIVE);
  }

  tryTakeListener(listener: ListenerId, cap: number, worker: WorkerId): boolean {
    if (this.raise(LISTENERS_AT + listener * ROW + LISTENER_ACTIVE, cap) < 0) return false;
    this.share(worker, MAX_BACKENDS + listener);
    return true;
  }

  giveBackListener(listener: ListenerId, worker: WorkerId): void {
    const cell = LISTENERS_AT + listener * ROW + LISTENER_ACTIVE;
    this.lower(cell, worker, MAX_BACKENDS + listener);
  }

  /**
   * Marks that `worker` stopped accepting at the listener's cap and wants to be woken when there is
   * room.
   */
  setListenerWaiting(listener: ListenerId, worker: WorkerId, state: 'waiting' | 'accepting'): void {
    const [word, bit] = waitingBit(listener, worker);
    if (state === 'waiting') Atomics.or(this.cells, word, bit);
    else Atomics.and(this.cells, word, ~bit);
  }

  listenerWaiting(listener: ListenerId, worker: WorkerId): boolean {
    const [word, bit] = waitingBit(listener, worker);
    return (Atomics.load(this.cells, word) & bit) !== 0;
  }

  anyListenerWaiting(listener: ListenerId): boolean {
    const word = LISTENERS_AT + listener * ROW + LISTENER_WAITING;
    return Atomics.load(this.cells, word) !== 0 || Atomics.load(this.cells, word + 1) !== 0;
  }

  resetListener(listener: ListenerId): void {
    assertShared(
      this.listenerActive(listener) === 0,
      'a listener row is used again while it is counted',
    );
    this.cells.fill(0, LISTENERS_AT + listener * ROW, LISTENERS_AT + (listener + 1) * ROW);
  }

  // ---- turns ----

  /** The position of the pool's round-robin, as `worker` moves it. */
  turnsOf(pool: PoolId, worker: WorkerId): SharedTurns {
    return new SharedTurns(this.#memory, TURNS_AT_BYTE, pool, worker);
  }

  // ---- queues ----

  queued(pool: PoolId): number {
    return Atomics.load(this.cells, POOLS_AT + pool * ROW + POOL_QUEUED);
  }

  /**
   * Takes a place in the pool's queue, or answers 0 when `size` wait already. Tickets are never 0.
   */
  tryEnqueue(pool: PoolId, size: number, worker: WorkerId): number {
    const row = POOLS_AT + pool * ROW;
    if (this.raise(row + POOL_QUEUED, size) < 0) return 0;
    this.share(worker, MAX_BACKENDS + MAX_LISTENERS + pool);
    const ticket = Atomics.add(this.cells, row + POOL_NEXT_TICKET, 1) + 1;
    return ticket === 0 ? this.#skipZeroTicket(row) : ticket;
  }

  dequeue(pool: PoolId, worker: WorkerId): void {
    const cell = POOLS_AT + pool * ROW + POOL_QUEUED;
    this.lower(cell, worker, MAX_BACKENDS + MAX_LISTENERS + pool);
  }

  /** Publishes the ticket at the head of `worker`'s queue; 0 = it has none. */
  setHead(pool: PoolId, worker: WorkerId, ticket: number): void {
    Atomics.store(this.cells, HEADS_AT + pool * MAX_WORKERS + worker, ticket);
  }

  /** Says whether waiters of `worker` stand aside, for which a place may become free elsewhere. */
  setAside(pool: PoolId, worker: WorkerId, aside: 'some' | 'none'): void {
    if (this.isAside(pool, worker) === (aside === 'some')) return;
    const word = POOLS_AT + pool * ROW + POOL_ASIDE + (worker >>> 5);
    if (aside === 'some') Atomics.or(this.cells, word, 1 << (worker & 31));
    else Atomics.and(this.cells, word, ~(1 << (worker & 31)));
  }

  isAside(pool: PoolId, worker: WorkerId): boolean {
    const word = POOLS_AT + pool * ROW + POOL_ASIDE + (worker >>> 5);
    return (Atomics.load(this.cells, word) & (1 << (worker & 31))) !== 0;
  }

  anyAside(pool: PoolId): boolean {
    const word = POOLS_AT + pool * ROW + POOL_ASIDE;
    return Atomics.load(this.cells, word) !== 0 || Atomics.load(this.cells, word + 1) !== 0;
  }

  /**
   * The worker whose head has waited longest, or -1. Tickets wrap, so they compare by difference.
   */
  longestWaiting(pool: PoolId, workers: number): WorkerId | -1 {
    let best = 0;
    let owner = -1;
    for (let worker = 0; worker < workers; worker++) {
      const ticket = Atomics.load(this.cells, HEADS_AT + pool * MAX_WORKERS + worker);
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
    for (let at = 0; at < MAX_LISTENERS; at++) sum += Atomics.load(this.cells, first + at);
    return sum;
  }

  /** Gives back everything that a lost worker had counted. Only when that thread runs no more. */
  forgetWorker(worker: WorkerId): void {
    this.descriptors.forgetWorker(worker);
    this.unwatchAll(worker);
    const share = SHARES_AT + worker * SHARE_ROW;
    // Read first: writing a zero would make the kernel allocate a page that was never used.
    for (let at = 0; at < SHARE_ROW; at++) {
      if (Atomics.load(this.cells, share + at) === 0) continue;
      const count = Atomics.exchange(this.cells, share + at, 0);
      Atomics.sub(this.cells, countCell(at), count);
    }
    for (let pool = 0; pool < MAX_POOLS; pool++) {
      const id = pool as PoolId;
      if (Atomics.load(this.cells, HEADS_AT + pool * MAX_WORKERS + worker) !== 0) {
        this.setHead(id, worker, 0);
      }
      this.setAside(id, worker, 'none');
    }
    for (let listener = 0; listener < MAX_LISTENERS; listener++) {
      const id = listener as ListenerId;
      if (this.listenerWaiting(id, worker)) this.setListenerWaiting(id, worker, 'accepting');
    }
    this.changes.noteAll();
  }

  #skipZeroTicket(row: number): number {
    return Atomics.add(this.cells, row + POOL_NEXT_TICKET, 1) + 1;
  }
}

function waitingBit(listener: ListenerId, worker: WorkerId): [word: number, bit: number] {
  return [LISTENERS_AT + listener * ROW + LISTENER_WAITING + (worker >>> 5), 1 << (worker & 31)];
}
