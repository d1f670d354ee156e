/** What is in the pipes of spliced directions, which splice(2) fills and empties. */
import { assert } from '../../core/assert.js';
import { ERRNO } from '../../kernel/errno.js';
import type { Libc } from '../../kernel/foreign.js';
import { NONE, OPEN, type PairTable } from './pairs.js';
import type { Pipes } from './pipes.js';

/** <fcntl.h>: SPLICE_F_MOVE | SPLICE_F_NONBLOCK */
const SPLICE_FLAGS = 3;
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

/** How the source was found: still open, or ended with 0 or a negative errno. */
export const STILL_OPEN = 1;

export interface PipedParts {
  readonly pairs: PairTable;
  readonly pipes: Pipes;
  readonly libc: Libc;
  /** splice(2) answered a refusal, and buffers carry bulk data from then on. Called once. */
  readonly spliceRefused: (answer: number) => void;
}

export class Piped {
  readonly #parts: PipedParts;
  /** The source of a direction was reset. */
  readonly #sourceGone: (direction: number) => void;
  // By direction.
  readonly #pipe: Int32Array;
  readonly #inPipe: Int32Array;
  readonly #answer: Int32Array;
  /** splice(2) was refused: buffers carry everything from then on. */
  #refused: 'no' | 'yes' = 'no';

  constructor(parts: PipedParts, sourceGone: (direction: number) => void) {
    this.#parts = parts;
    this.#sourceGone = sourceGone;
    const directions = 2 * parts.pairs.capacity;
    this.#pipe = new Int32Array(directions).fill(NONE);
    this.#inPipe = new Int32Array(directions);
    this.#answer = new Int32Array(directions);
  }

  get isRefused(): boolean {
    return this.#refused === 'yes';
  }

  /** NONE: the direction is not spliced. */
  pipeOf(direction: number): number {
    return this.#pipe[direction] ?? NONE;
  }

  /** STILL_OPEN, or how the source has ended. */
  answerOf(direction: number): number {
    return this.#answer[direction] ?? STILL_OPEN;
  }

  /** A pipe for the direction, or NONE when there is none. */
  take(direction: number): number {
    if (this.#refused === 'yes') return NONE;
    const pipe = this.#parts.pipes.take();
    if (pipe === NONE) return NONE;
    this.#pipe[direction] = pipe;
    this.#inPipe[direction] = 0;
    this.#answer[direction] = STILL_OPEN;
    return pipe;
  }

  giveBack(direction: number): void {
    const pipe = this.pipeOf(direction);
    this.#pipe[direction] = NONE;
    this.#parts.pipes.giveBack(pipe, this.bytes(direction));
    this.#inPipe[direction] = 0;
  }

  /** Moves what is in the pipe into `memory`, as far as it goes; how many bytes. */
  read(direction: number, memory: Uint8Array): number {
    const { libc, pipes } = this.#parts;
    const wanted = Math.min(memory.length, this.bytes(direction));
    const bytes = libc.read(pipes.outlet(this.pipeOf(direction)), memory, wanted);
    assert(bytes > 0, 'a pipe with data in it can be read');
    this.#inPipe[direction] = this.bytes(direction) - bytes;
    return bytes;
  }

  /** Socket to pipe; the bytes, or 0 when there was nothing or the source has ended. */
  fill(direction: number): number {
    const { libc, pairs, pipes } = this.#parts;
    if (this.#answer[direction] !== STILL_OPEN || pairs.source[direction] !== OPEN) return 0;
    const pipe = this.#pipe[direction] ?? NONE;
    const room = pipes.capacityBytes(pipe) - this.bytes(direction);
    if (room <= 0) return 0;
    const from = pairs.fdOf(direction);
    const bytes = libc.splice(from, 0, pipes.inlet(pipe), 0, room, SPLICE_FLAGS);
    if (bytes > 0) {
      this.#inPipe[direction] = this.bytes(direction) + bytes;
      return bytes;
    }
    if (this.#refuses(bytes)) return 0;
    // EAGAIN also means that the pipe has no slot left; it is drained next, and then asked again.
    if (bytes === -ERRNO.EAGAIN || bytes === -ERRNO.EINTR) return 0;
    this.#answer[direction] = bytes;
    if (bytes < 0) this.#sourceGone(direction);
    return 0;
  }

  /** Pipe to socket; the bytes, or a negative errno when the target is broken. */
  drain(direction: number): number {
    const { libc, pairs, pipes } = this.#parts;
    let drained = 0;
    const outlet = pipes.outlet(this.#pipe[direction] ?? NONE);
    const to = pairs.fdOf(direction ^ 1);
    while (this.bytes(direction) > 0) {
      const bytes = libc.splice(outlet, 0, to, 0, this.bytes(direction), SPLICE_FLAGS);
      if (bytes === -ERRNO.EAGAIN || bytes === -ERRNO.EINTR) return drained;
      if (this.#refuses(bytes)) return drained;
      if (bytes < 0) return bytes;
      assert(bytes > 0, 'a pipe with data in it gives some');
      this.#inPipe[direction] = this.bytes(direction) - bytes;
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

  /** In the pipe. */
  bytes(direction: number): number {
    return this.#inPipe[direction] ?? 0;
  }
}
