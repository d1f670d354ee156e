/**
 * Sends of each direction, one at a time and in order. The first attempt is silent: it completes
 * only when the socket did not take everything, and then a send that waits for room follows. Most
 * sends are taken at once, and those cost no completion and wake nobody.
 */
import { assert } from '../../core/assert.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { ERRNO } from '../../kernel/errno.js';
import { submitSend, submitSilentSend } from '../../kernel/submissions.js';
import { Chains } from './chains.js';
import type { Holder } from './ending.js';
import type { Loop, Taken, TurnWork } from './loop.js';
import type { PairTable } from './pairs.js';
import { SilentBatch } from './silent_batch.js';
import { SEND, SILENT_SEND, userData } from './user_data.js';

export interface SendOwner {
  /** `bytes` of traffic were handed on to the target. */
  moved(direction: number, bytes: number): void;
  /** A buffer was handed on to the target: there is room for another one. */
  delivered(direction: number): void;
  /** Writing failed for good, with the negative errno `answer`. */
  targetBroken(direction: number, answer: number): void;
}

const IDLE = 0;
const SILENT = 1;
const WAITING = 2;

export class Sends implements TurnWork, Holder {
  readonly #loop: Loop;
  readonly #pairs: PairTable;
  readonly #pool: BufferPool;
  readonly #owner: SendOwner;
  readonly #chains: Chains;
  /** By direction. */
  readonly #state: Uint8Array;
  readonly #batch: SilentBatch;
  /** By direction: 1: somebody waits for its silent send, which wakes nobody. */
  readonly #awaited: Uint8Array;
  /** How many they are: while there are some no turn may block. */
  #awaitedCount = 0;
  /** Made once: a turn allocates nothing. */
  readonly #succeeded = (direction: number): void => this.#silentlySent(direction);

  constructor(loop: Loop, pairs: PairTable, pool: BufferPool, owner: SendOwner) {
    const directions = 2 * pairs.capacity;
    this.#loop = loop;
    this.#pairs = pairs;
    this.#pool = pool;
    this.#owner = owner;
    this.#chains = new Chains(pool, directions);
    this.#state = new Uint8Array(directions);
    this.#awaited = new Uint8Array(directions);
    this.#batch = new SilentBatch(directions);
    loop.on(SILENT_SEND, (direction, generation, result) => {
      this.#silentFailed(direction, generation, result);
    });
    loop.on(
      SEND,
      (direction, generation, result) => this.#sent(direction, generation, result),
      (direction, generation) =>
        pairs.generationOf(direction) === generation && this.#state[direction] === WAITING,
    );
    loop.add(this);
  }

  /** Buffers that wait or are being sent. */
  length(direction: number): number {
    return this.#chains.length[direction] ?? 0;
  }

  /** Sends `bytes` of `buffer`, behind what was given before, and recycles it then. */
  push(direction: number, buffer: number, bytes: number, credit: number): void {
    this.#chains.append(direction, buffer, bytes, credit);
    if (this.#state[direction] === IDLE) this.#sendSilently(direction);
  }

  /** Something is to be done as soon as `direction` has delivered what is under way. */
  await(direction: number): void {
    if (this.#state[direction] !== SILENT || this.#awaited[direction] === 1) return;
    this.#awaited[direction] = 1;
    this.#awaitedCount++;
  }

  /** Cancels a send that waits for room. */
  abandon(pair: number): void {
    const generation = this.#pairs.generation[pair] ?? 0;
    for (const direction of [2 * pair, 2 * pair + 1]) {
      this.await(direction);
      if (this.#state[direction] !== WAITING) continue;
      this.#loop.cancel(SEND, direction, generation);
    }
  }

  clear(pair: number): void {
    for (const direction of [2 * pair, 2 * pair + 1]) this.drop(direction);
  }

  /** Forgets what is queued; no send may be under way. */
  drop(direction: number): void {
    assert(this.#state[direction] === IDLE, 'a buffer in flight is not dropped');
    this.#chains.drop(direction);
  }

  before(): void {
    this.#batch.before();
  }

  after(taken: Taken): void {
    this.#batch.after(taken, this.#succeeded);
  }

  dueMs(): number {
    return this.#awaitedCount > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  #silentlySent(direction: number): void {
    assert(this.#state[direction] === SILENT, 'silence is the answer to a silent send');
    this.#silenceOver(direction);
    this.#delivered(direction);
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

  #sendWaiting(direction: number): void {
    const pairs = this.#pairs;
    this.#state[direction] = WAITING;
    pairs.begin(direction);
    submitSend(
      this.#loop.ring,
      pairs.fdOf(direction ^ 1),
      this.#pool,
      this.#chains.offset(direction),
      this.#chains.bytes(direction),
      userData(SEND, direction),
      pairs.generationOf(direction),
    );
  }

  #silentFailed(direction: number, generation: number, result: number): void {
    this.#pairs.check(direction, generation);
    assert(this.#state[direction] === SILENT, 'a silent send fails once');
    this.#silenceOver(direction);
    this.#batch.failed(direction);
    // The socket took a part, or nothing for now.
    const taken = result === -ERRNO.EAGAIN || result === -ERRNO.EINTR ? 0 : result;
    this.#goOn(direction, taken);
    this.#pairs.done(direction);
  }

  #sent(direction: number, generation: number, result: number): void {
    this.#pairs.check(direction, generation);
    assert(this.#state[direction] === WAITING, 'a send completes once');
    this.#state[direction] = IDLE;
    if (result === this.#chains.bytes(direction)) this.#delivered(direction);
    else this.#goOn(direction, result === -ERRNO.EINTR ? 0 : result);
    this.#pairs.done(direction);
  }

  /** `taken` bytes of the first buffer were sent, or writing failed with a negative errno. */
  #goOn(direction: number, taken: number): void {
    if (!this.#pairs.relays(direction)) return;
    if (taken < 0) {
      this.#owner.targetBroken(direction, taken);
      return;
    }
    this.#chains.advance(direction, taken);
    this.#sendWaiting(direction);
  }

  /** Counts even if the pair is ending by now: the target got it before. */
  #delivered(direction: number): void {
    this.#owner.moved(direction, this.#chains.shift(direction));
    if (!this.#pairs.relays(direction)) return;
    if (this.length(direction) > 0) this.#sendSilently(direction);
    this.#owner.delivered(direction);
  }
}
