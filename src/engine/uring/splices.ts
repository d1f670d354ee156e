/**
 * Bulk data: splice(2) moves it from socket to pipe to socket without copying it to this process,
 * called directly and with a poll on the ring when it would block. (IORING_OP_SPLICE would hand
 * each call to a helper thread.)
 */
import { assert } from '../../core/assert.js';
import { type BufferPool, SMALL_BYTES } from '../../kernel/buffer_pool.js';
import { ERRNO } from '../../kernel/errno.js';
import type { Libc } from '../../kernel/foreign.js';
import { POLLIN, submitPoll } from '../../kernel/submissions.js';
import type { Holder } from './ending.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, OPEN, type PairTable } from './pairs.js';
import type { Pipes } from './pipes.js';
import { SOURCE_READY, userData } from './user_data.js';

/** <fcntl.h>: SPLICE_F_MOVE | SPLICE_F_NONBLOCK */
const SPLICE_FLAGS = 3;
/** What one direction may move before others have their turn. */
const TURN_BYTES = 2 * 1_048_576;
/** A turn that moved less is small, and after some in a row buffers are cheaper than a pipe. */
const SMALL_TURN_BYTES = 32_768;
const SMALL_TURNS = 8;

/**
 * What a security policy, a sandbox or a kind of socket answers to splice(2): nothing was moved,
 * and nothing is to be had by asking again.
 */
const REFUSALS: ReadonlySet<number> = new Set([
  -ERRNO.EPERM,
  -ERRNO.EACCES,
  -ERRNO.ENOSYS,
  -ERRNO.EINVAL,
]);

/** What the relay hears of a spliced direction. */
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

/** How the source was found: still open, or ended with 0 or a negative errno. */
const STILL_OPEN = 1;

export interface SplicesParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly pipes: Pipes;
  readonly libc: Libc;
  /** splice(2) answered a refusal, and buffers carry bulk data from then on. Told once. */
  readonly spliceRefused: (answer: number) => void;
  readonly pool: BufferPool;
}

export class Splices implements TurnWork, Holder {
  readonly #parts: SplicesParts;
  readonly #owner: SpliceOwner;
  // By direction.
  readonly #state: Uint8Array;
  readonly #pipe: Int32Array;
  readonly #inPipe: Int32Array;
  readonly #answer: Int32Array;
  readonly #small: Uint8Array;
  #ready: number[] = [];
  /** splice(2) was refused: buffers carry everything from then on. */
  #refused: 'no' | 'yes' = 'no';

  constructor(parts: SplicesParts, owner: SpliceOwner) {
    this.#parts = parts;
    this.#owner = owner;
    const directions = 2 * parts.pairs.capacity;
    this.#state = new Uint8Array(directions);
    this.#pipe = new Int32Array(directions).fill(NONE);
    this.#inPipe = new Int32Array(directions);
    this.#answer = new Int32Array(directions);
    this.#small = new Uint8Array(directions);
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
    return this.#pipe[direction] !== NONE;
  }

  /** Bytes in the pipe. */
  bytes(direction: number): number {
    return this.#left(direction);
  }

  /** Splices from now on, or answers NONE when there is no pipe. No receive may be armed. */
  begin(direction: number): number {
    assert(!this.active(direction), 'a direction is spliced once');
    if (this.#refused === 'yes') return NONE;
    const pipe = this.#parts.pipes.take();
    if (pipe === NONE) return NONE;
    this.#pipe[direction] = pipe;
    this.#inPipe[direction] = 0;
    this.#answer[direction] = STILL_OPEN;
    this.#small[direction] = 0;
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
      if (this.active(direction)) this.#release(direction);
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
      const filled = this.#fill(direction);
      const drained = this.#drain(direction);
      if (this.#refused === 'yes') {
        this.#report(direction, moved + Math.max(0, drained));
        this.#leave(direction);
        return;
      }
      if (drained < 0) {
        this.#owner.spliceBroken(direction, drained);
        return;
      }
      moved += drained;
      if (this.#left(direction) > 0) {
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

  /** Socket to pipe; the bytes, or 0 when there was nothing or the source has ended. */
  #fill(direction: number): number {
    const { libc, pairs, pipes } = this.#parts;
    if (this.#answer[direction] !== STILL_OPEN || pairs.source[direction] !== OPEN) return 0;
    const pipe = this.#pipe[direction] ?? NONE;
    const room = pipes.capacityBytes(pipe) - this.#left(direction);
    if (room <= 0) return 0;
    const from = pairs.fdOf(direction);
    const bytes = libc.splice(from, 0, pipes.inlet(pipe), 0, room, SPLICE_FLAGS);
    if (bytes > 0) {
      this.#inPipe[direction] = this.#left(direction) + bytes;
      return bytes;
    }
    if (this.#refuses(bytes)) return 0;
    // EAGAIN also means that the pipe has no slot left; it is drained next, and then asked again.
    if (bytes === -ERRNO.EAGAIN || bytes === -ERRNO.EINTR) return 0;
    this.#answer[direction] = bytes;
    if (bytes < 0) this.#owner.sourceGone(direction);
    return 0;
  }

  /** Pipe to socket; the bytes, or a negative errno when the target is broken. */
  #drain(direction: number): number {
    const { libc, pairs, pipes } = this.#parts;
    let drained = 0;
    const outlet = pipes.outlet(this.#pipe[direction] ?? NONE);
    const to = pairs.fdOf(direction ^ 1);
    while (this.#left(direction) > 0) {
      const bytes = libc.splice(outlet, 0, to, 0, this.#left(direction), SPLICE_FLAGS);
      if (bytes === -ERRNO.EAGAIN || bytes === -ERRNO.EINTR) return drained;
      if (this.#refuses(bytes)) return drained;
      if (bytes < 0) return bytes;
      assert(bytes > 0, 'a pipe with data in it gives some');
      this.#inPipe[direction] = this.#left(direction) - bytes;
      drained += bytes;
    }
    return drained;
  }

  #refuses(answer: number): boolean {
    if (!REFUSALS.has(answer)) return false;
    if (this.#refused === 'no') this.#parts.spliceRefused(answer);
    this.#refused = 'yes';
    return true;
  }

  #left(direction: number): number {
    return this.#inPipe[direction] ?? 0;
  }

  #report(direction: number, bytes: number): void {
    if (bytes > 0) this.#owner.moved(direction, bytes);
  }

  /** The pipe is empty, and there was nothing more to read. */
  #drainedAll(direction: number, moved: number): void {
    const { pairs } = this.#parts;
    const answer = this.#answer[direction] ?? STILL_OPEN;
    if (answer !== STILL_OPEN) {
      this.#release(direction);
      this.#owner.spliceOver(direction, answer);
      return;
    }
    const small = moved < SMALL_TURN_BYTES ? (this.#small[direction] ?? 0) + 1 : 0;
    this.#small[direction] = small;
    if (pairs.source[direction] !== OPEN || small >= SMALL_TURNS) {
      this.#release(direction);
      this.#owner.spliceDone(direction);
      return;
    }
    this.#awaitSource(direction);
  }

  /** Goes on with buffers; what is in the pipe moves into small ones, so that nothing is lost. */
  #leave(direction: number): void {
    const { libc, pipes, pool } = this.#parts;
    const outlet = pipes.outlet(this.#pipe[direction] ?? NONE);
    while (this.#left(direction) > 0) {
      const buffer = pool.takeSmall();
      if (buffer === NONE) {
        this.#owner.noRoom(direction);
        return;
      }
      const start = pool.offsetOf(buffer);
      const wanted = Math.min(SMALL_BYTES, this.#left(direction));
      const bytes = libc.read(outlet, pool.bytes.subarray(start, start + wanted), wanted);
      assert(bytes > 0, 'a pipe with data in it can be read');
      this.#inPipe[direction] = this.#left(direction) - bytes;
      this.#owner.spliceLeft(direction, buffer, bytes);
    }
    const answer = this.#answer[direction] ?? STILL_OPEN;
    this.#release(direction);
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

  #release(direction: number): void {
    const pipe = this.#pipe[direction] ?? NONE;
    this.#pipe[direction] = NONE;
    this.#parts.pipes.giveBack(pipe, this.#left(direction));
    this.#inPipe[direction] = 0;
  }
}
