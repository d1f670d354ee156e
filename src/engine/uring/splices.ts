/**
 * Bulk data: splice(2) moves it from socket to pipe to socket without copying it to this process,
 * called directly and with a poll on the ring when it would block. (IORING_OP_SPLICE would hand
 * each call to a helper thread.)
 */
import { assert } from '../../core/assert.js';
import { type BufferPool, SMALL_BYTES } from '../../kernel/buffer_pool.js';
import { POLLIN, submitPoll } from '../../kernel/submissions.js';
import type { Holder } from './ending.js';
import type { LateOptions } from './late_options.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, OPEN } from './pairs.js';
import { Piped, type PipedParts, STILL_OPEN } from './piped.js';
import { SOURCE_READY, userData } from './user_data.js';

/** What one direction may move before others have their turn. */
const TURN_BYTES = 2 * 1_048_576;
/** A turn that moved less is small, and after some in a row buffers are cheaper than a pipe. */
const SMALL_TURN_BYTES = 32_768;
const SMALL_TURNS = 8;

/** What is reported to the relay of a spliced direction. */
export interface SpliceOwner {
  /** `bytes` were handed on to the target. */
  moved(direction: number, bytes: number): void;
  /** The source was reset; `spliceOver` follows when the target has taken what came before. */
  sourceGone(direction: number): void;
  /** The source has ended (0: FIN, else a negative errno) and all data was handed on. */
  spliceOver(direction: number, answer: number): void;
  /** Writing failed with the negative errno `answer`: the target is broken. */
  spliceBroken(direction: number, answer: number): void;
  /** The target takes nothing for now: `goOn` is to be called when it may. */
  stalled(direction: number): void;
  /** `bytes` of the direction that were in its pipe stand in a small `buffer` now. */
  spliceLeft(direction: number, buffer: number, bytes: number): void;
  /** What was in the pipe finds no place: the pair has to end. */
  noRoom(direction: number): void;
  /** The pipe is empty and given back; buffers go on. */
  spliceDone(direction: number): void;
}

const IDLE = 0;
/** Has bytes to move; waits for its turn. */
const READY = 1;
const AWAITS_SOURCE = 2;
const AWAITS_TARGET = 3;

export interface SplicesParts extends PipedParts {
  readonly loop: Loop;
  readonly pool: BufferPool;
  readonly lateOptions: LateOptions;
}

export class Splices implements TurnWork, Holder {
  readonly #parts: SplicesParts;
  readonly #owner: SpliceOwner;
  // By direction.
  readonly #state: Uint8Array;
  readonly #small: Uint8Array;
  readonly #piped: Piped;
  #ready: number[] = [];

  constructor(parts: SplicesParts, owner: SpliceOwner) {
    this.#parts = parts;
    this.#owner = owner;
    const directions = 2 * parts.pairs.capacity;
    this.#state = new Uint8Array(directions);
    this.#small = new Uint8Array(directions);
    this.#piped = new Piped(parts, (direction) => owner.sourceGone(direction));
    const { loop, pairs } = parts;
    loop.on(
      SOURCE_READY,
      pairs.walled((direction) => this.#awake(direction)),
      (direction, generation) =>
        pairs.generationOf(direction) === generation && this.#state[direction] === AWAITS_SOURCE,
    );
    loop.add(this);
  }

  active(direction: number): boolean {
    return this.#piped.pipeOf(direction) !== NONE;
  }

  /** Bytes in the pipe. */
  bytes(direction: number): number {
    return this.#piped.bytes(direction);
  }

  /** Splices from now on, or answers NONE when there is no pipe. No receive may be armed. */
  begin(direction: number): number {
    assert(!this.active(direction), 'a direction is spliced once');
    const pipe = this.#piped.take(direction);
    if (pipe === NONE) return NONE;
    this.#small[direction] = 0;
    this.#parts.lateOptions.splicing(direction);
    this.#makeReady(direction);
    return pipe;
  }

  /** True while the target of `direction` takes nothing. */
  stalled(direction: number): boolean {
    return this.#state[direction] === AWAITS_TARGET;
  }

  /** The target of `direction` may take data again. */
  goOn(direction: number): void {
    if (this.#state[direction] !== AWAITS_TARGET) return;
    this.#state[direction] = IDLE;
    this.#move(direction);
  }

  /** Reads no more; `spliceDone` follows when the pipe is empty. */
  stop(direction: number): void {
    if (this.#state[direction] === AWAITS_SOURCE) this.#cancel(direction);
  }

  abandon(pair: number): void {
    for (const direction of [2 * pair, 2 * pair + 1]) {
      if (this.#state[direction] === AWAITS_SOURCE) this.#cancel(direction);
    }
  }

  clear(pair: number): void {
    for (const direction of [2 * pair, 2 * pair + 1]) {
      this.#state[direction] = IDLE;
      if (this.active(direction)) this.#piped.giveBack(direction);
    }
  }

  after(): void {
    if (this.#ready.length === 0) return;
    const ready = this.#ready;
    this.#ready = [];
    for (const direction of ready) {
      // A pair that has ended meanwhile has put its directions to rest.
      if (this.#state[direction] !== READY) continue;
      this.#state[direction] = IDLE;
      if (this.#parts.pairs.relays(direction)) this.#moveAlone(direction);
    }
  }

  dueMs(): number {
    return this.#ready.length > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  #makeReady(direction: number): void {
    assert(this.#state[direction] === IDLE, 'a direction is made ready once');
    this.#state[direction] = READY;
    this.#ready.push(direction);
  }

  #awake(direction: number): void {
    const { pairs } = this.#parts;
    assert(this.#state[direction] === AWAITS_SOURCE, 'one poll a spliced direction');
    this.#state[direction] = IDLE;
    if (pairs.relays(direction)) this.#move(direction);
  }

  #moveAlone(direction: number): void {
    try {
      this.#move(direction);
    } catch (error) {
      this.#parts.pairs.broken(direction >> 1, error);
    }
  }

  /** Moves what can be moved, and then waits for whichever side is in the way. */
  #move(direction: number): void {
    let moved = 0;
    while (moved < TURN_BYTES) {
      const filled = this.#piped.fill(direction);
      const drained = this.#piped.drain(direction);
      if (this.#piped.isRefused) {
        this.#report(direction, moved + Math.max(0, drained));
        this.#leave(direction);
        return;
      }
      if (drained < 0) {
        this.#owner.spliceBroken(direction, drained);
        return;
      }
      moved += drained;
      if (this.#piped.bytes(direction) > 0) {
        this.#report(direction, moved);
        this.#state[direction] = AWAITS_TARGET;
        this.#owner.stalled(direction);
        return;
      }
      if (filled === 0) {
        this.#report(direction, moved);
        this.#drainedAll(direction, moved);
        return;
      }
    }
    this.#report(direction, moved);
    this.#makeReady(direction);
  }

  #report(direction: number, bytes: number): void {
    if (bytes > 0) this.#owner.moved(direction, bytes);
  }

  /** The pipe is empty, and there was nothing more to read. */
  #drainedAll(direction: number, moved: number): void {
    const { pairs } = this.#parts;
    const answer = this.#piped.answerOf(direction);
    if (answer !== STILL_OPEN) {
      this.#piped.giveBack(direction);
      this.#owner.spliceOver(direction, answer);
      return;
    }
    const small = moved < SMALL_TURN_BYTES ? (this.#small[direction] ?? 0) + 1 : 0;
    this.#small[direction] = small;
    if (pairs.source[direction] !== OPEN || small >= SMALL_TURNS) {
      this.#piped.giveBack(direction);
      this.#owner.spliceDone(direction);
      return;
    }
    this.#awaitSource(direction);
  }

  /** Goes on with buffers; what is in the pipe moves into small ones, so that nothing is lost. */
  #leave(direction: number): void {
    const { pool } = this.#parts;
    while (this.#piped.bytes(direction) > 0) {
      const buffer = pool.takeSmall();
      if (buffer === NONE) {
        this.#owner.noRoom(direction);
        return;
      }
      const start = pool.offsetOf(buffer);
      const bytes = this.#piped.read(direction, pool.bytes.subarray(start, start + SMALL_BYTES));
      this.#owner.spliceLeft(direction, buffer, bytes);
    }
    const answer = this.#piped.answerOf(direction);
    this.#piped.giveBack(direction);
    if (answer === STILL_OPEN) this.#owner.spliceDone(direction);
    else this.#owner.spliceOver(direction, answer);
  }

  #awaitSource(direction: number): void {
    const { loop, pairs } = this.#parts;
    this.#state[direction] = AWAITS_SOURCE;
    pairs.begin(direction);
    const low = userData(SOURCE_READY, direction);
    submitPoll(loop.ring, pairs.fdOf(direction), POLLIN, low, pairs.generationOf(direction));
  }

  #cancel(direction: number): void {
    const { loop, pairs } = this.#parts;
    loop.cancel(SOURCE_READY, direction, pairs.generationOf(direction));
  }
}
