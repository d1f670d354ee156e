/**
 * Sends of each direction, one at a time and in order. They are silent: a send completes only when
 * the socket did not take everything, and then the direction stands still until its target takes
 * data again. Most sends are taken at once: those cost no completion and do not wake the thread.
 *
 * Data that stands still blocks nothing: nothing of it is in flight, and when buffers run short it
 * moves into small ones, beginning with what has stood longest.
 */
import { assert, assertShared } from '../../core/assert.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { ERRNO } from '../../kernel/errno.js';
import { submitSilentSend } from '../../kernel/submissions.js';
import { Chains } from './chains.js';
import type { Holder } from './ending.js';
import type { LateOptions } from './late_options.js';
import type { Loop, TakenWork, TurnWork } from './loop.js';
import type { PairTable } from './pairs.js';
import { SilentBatch } from './silent_batch.js';
import { SILENT_SEND, userData } from './user_data.js';

export interface SendOwner {
  /** `bytes` of traffic were handed on to the target. */
  moved(direction: number, bytes: number): void;
  /** A buffer was handed on to the target: there is room for another one. */
  delivered(direction: number): void;
  /** The target takes nothing for now: `goOn` is to be called when it may. */
  stalled(direction: number): void;
  /** Data that stands still finds no place any more: the pair has to end. */
  noRoom(direction: number): void;
  /** Writing failed for good, with the negative errno `answer`. */
  targetBroken(direction: number, answer: number): void;
}

const IDLE = 0;
const SILENT = 1;
/** Stands still until the target takes data again; nothing is in flight. */
const STALLED = 2;

export class Sends implements TurnWork, Holder {
  readonly #loop: Loop;
  readonly #pairs: PairTable;
  readonly #pool: BufferPool;
  readonly #lateOptions: LateOptions;
  readonly #owner: SendOwner;
  readonly #chains: Chains;
  /** By direction. */
  readonly #state: Uint8Array;
  readonly #batch: SilentBatch;
  /** By direction: 1: its silent send is waited for, which does not wake the thread. */
  readonly #awaited: Uint8Array;
  /** How many they are: while there are some no turn may block. */
  #awaitedCount = 0;
  /** Directions that stand still with large buffers, in the order of their beginning. */
  #standing: number[] = [];
  /** By direction: 1: it is in that list. */
  readonly #listed: Uint8Array;
  /** Made once: a turn allocates nothing. */
  readonly #succeeded = (direction: number): void => this.#silentlySent(direction);

  constructor(
    loop: Loop,
    pairs: PairTable,
    pool: BufferPool,
    lateOptions: LateOptions,
    owner: SendOwner,
  ) {
    const directions = 2 * pairs.capacity;
    this.#loop = loop;
    this.#pairs = pairs;
    this.#pool = pool;
    this.#lateOptions = lateOptions;
    this.#owner = owner;
    this.#chains = new Chains(pool, directions);
    this.#state = new Uint8Array(directions);
    this.#awaited = new Uint8Array(directions);
    this.#batch = new SilentBatch(directions);
    this.#listed = new Uint8Array(directions);
    const failed = pairs.walled((direction, _, result) => this.#silentFailed(direction, result));
    loop.on(SILENT_SEND, failed);
    loop.add(this);
  }

  /** Buffers that wait or are being sent. */
  length(direction: number): number {
    return this.#chains.length[direction] ?? 0;
  }

  /** Bytes that wait or are being sent. */
  bytes(direction: number): number {
    return this.#chains.totalBytes(direction);
  }

  /** Sends `bytes` of `buffer`, behind what was given before, and recycles it then. */
  push(direction: number, buffer: number, bytes: number, credit: number): void {
    this.#chains.append(direction, buffer, bytes, credit);
    if (this.#state[direction] === IDLE) this.#sendSilently(direction);
    else if (this.#state[direction] === STALLED) this.#list(direction);
  }

  /** True while the target of `direction` takes nothing. */
  stalled(direction: number): boolean {
    return this.#state[direction] === STALLED;
  }

  /** The target of `direction` may take data again. */
  goOn(direction: number): void {
    if (this.#state[direction] === STALLED) this.#sendSilently(direction);
  }

  /** Takes `bytes` in a small `buffer` that stood still elsewhere, behind what was given before. */
  adopt(direction: number, buffer: number, bytes: number): void {
    assert(this.#state[direction] !== SILENT, 'what stands still is not in flight');
    this.#chains.append(direction, buffer, bytes, bytes);
    this.#state[direction] = STALLED;
  }

  /** Something is to be done as soon as `direction` has delivered what is under way. */
  await(direction: number): void {
    if (this.#state[direction] !== SILENT || this.#awaited[direction] === 1) return;
    this.#awaited[direction] = 1;
    this.#awaitedCount++;
  }

  /** What stands still is given back at once. */
  abandon(pair: number): void {
    for (const direction of [2 * pair, 2 * pair + 1]) {
      if (this.#state[direction] === STALLED) this.drop(direction);
      else this.await(direction);
    }
  }

  clear(pair: number): void {
    for (const direction of [2 * pair, 2 * pair + 1]) this.drop(direction);
  }

  /** Forgets what is queued; no send may be under way. */
  drop(direction: number): void {
    assertShared(this.#state[direction] !== SILENT, 'a buffer in flight is not dropped');
    this.#state[direction] = IDLE;
    this.#chains.drop(direction);
  }

  before(): void {
    this.#batch.before();
  }

  after(taken: TakenWork): void {
    this.#batch.after(taken, this.#succeeded);
    if (this.#standing.length > 0 && this.#pool.short) this.#makeRoom();
  }

  dueMs(): number {
    return this.#awaitedCount > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  #silentlySent(direction: number): void {
    assertShared(this.#state[direction] === SILENT, 'silence is the answer to a silent send');
    this.#silenceOver(direction);
    try {
      this.#delivered(direction);
    } catch (error) {
      this.#pairs.broken(direction >> 1, error);
    }
    this.#pairs.done(direction);
  }

  #silenceOver(direction: number): void {
    this.#state[direction] = IDLE;
    if (this.#awaited[direction] === 0) return;
    this.#awaited[direction] = 0;
    this.#awaitedCount--;
  }

  #sendSilently(direction: number): void {
    const pairs = this.#pairs;
    this.#state[direction] = SILENT;
    this.#batch.add(direction);
    pairs.begin(direction);
    this.#lateOptions.sending(direction);
    submitSilentSend(
      this.#loop.ring,
      pairs.fdOf(direction ^ 1),
      this.#pool,
      this.#chains.offset(direction),
      this.#chains.bytes(direction),
      userData(SILENT_SEND, direction),
      pairs.generationOf(direction),
    );
  }

  #stall(direction: number): void {
    this.#state[direction] = STALLED;
    this.#list(direction);
    this.#owner.stalled(direction);
  }

  #list(direction: number): void {
    if (this.#listed[direction] === 1) return;
    this.#listed[direction] = 1;
    this.#standing.push(direction);
  }

  /** Moves data that stands still into small buffers until there are enough large ones again. */
  #makeRoom(): void {
    const standing = this.#standing;
    let done = 0;
    while (done < standing.length && this.#pool.short) {
      const direction = standing[done++] ?? 0;
      this.#listed[direction] = 0;
      if (this.#state[direction] !== STALLED) continue;
      if (this.#chains.shrink(direction) === 'shrunk') continue;
      // One a turn: what it held is free only when the pair has ended.
      this.#owner.noRoom(direction);
      break;
    }
    standing.splice(0, done);
  }

  #silentFailed(direction: number, result: number): void {
    assertShared(this.#state[direction] === SILENT, 'a silent send fails once');
    this.#silenceOver(direction);
    this.#batch.failed(direction);
    // The socket took a part, or nothing for now.
    const taken = result === -ERRNO.EAGAIN || result === -ERRNO.EINTR ? 0 : result;
    this.#partlySent(direction, taken);
  }

  /** `taken` bytes of the first buffer were sent, or writing failed with a negative errno. */
  #partlySent(direction: number, taken: number): void {
    if (!this.#pairs.relays(direction)) return;
    if (taken < 0) {
      this.#owner.targetBroken(direction, taken);
      return;
    }
    this.#chains.advance(direction, taken);
    this.#stall(direction);
  }

  /** Counts even if the pair is ending by now: the target got it before. */
  #delivered(direction: number): void {
    this.#owner.moved(direction, this.#chains.shift(direction));
    if (!this.#pairs.relays(direction)) return;
    if (this.length(direction) > 0) this.#sendSilently(direction);
    this.#owner.delivered(direction);
  }
}
