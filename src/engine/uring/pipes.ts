/**
 * Pipes that splice(2) moves bulk data through; a limited number, kept for the next direction that
 * needs one.
 */
import { assertShared } from '../../core/assert.js';
import { adoptDescriptor, closeDescriptor } from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../kernel/sockets.js';
import { NONE } from './pairs.js';

/** fcntl(2), <linux/fcntl.h> */
const F_SETPIPE_SZ = 1031;
/** /proc/sys/fs/pipe-max-size as Linux has it: more needs CAP_SYS_RESOURCE. */
const WANTED_BYTES = 1_048_576;
/** What a pipe has when the user's share of pipe memory is used up (pipe(7)). */
const DEFAULT_BYTES = 65_536;

/** Pipes that are kept while they are not used. */
const MAX_IDLE = 16;

export class Pipes {
  readonly #kernel: Kernel;
  // By pipe.
  readonly #source: Int32Array;
  readonly #target: Int32Array;
  readonly #capacity: Int32Array;
  /** Numbers without descriptors. */
  readonly #unopened: number[];
  /** Open, empty and unused; the one used last is at the end. */
  readonly #idle: number[] = [];
  /** The fewest that were idle since the last `trim`: this many at the front were not needed. */
  #leastIdle = 0;

  /** `count`: pipes at the same time; two descriptors each. */
  constructor(kernel: Kernel, count: number) {
    this.#kernel = kernel;
    this.#source = new Int32Array(count).fill(NONE);
    this.#target = new Int32Array(count).fill(NONE);
    this.#capacity = new Int32Array(count);
    this.#unopened = Array.from({ length: count }, (_, index) => index);
  }

  /** The end that data comes out of. */
  outlet(pipe: number): number {
    return this.#source[pipe] ?? NONE;
  }

  /** The end that data goes into. */
  inlet(pipe: number): number {
    return this.#target[pipe] ?? NONE;
  }

  capacityBytes(pipe: number): number {
    return this.#capacity[pipe] ?? 0;
  }

  /** An empty pipe, or NONE when all are in use or no descriptor can be had. */
  take(): number {
    const idle = this.#idle.pop();
    this.#leastIdle = Math.min(this.#leastIdle, this.#idle.length);
    if (idle !== undefined) return idle;
    const pipe = this.#unopened.pop();
    if (pipe === undefined) return NONE;
    const ends = new Int32Array(2);
    if (this.#kernel.libc.pipe2(ends, SOCK_CLOEXEC | SOCK_NONBLOCK) < 0) {
      this.#unopened.push(pipe);
      return NONE;
    }
    this.#source[pipe] = ends[0] ?? NONE;
    this.#target[pipe] = ends[1] ?? NONE;
    const bytes = this.#kernel.libc.fcntl(ends[1] ?? NONE, F_SETPIPE_SZ, WANTED_BYTES);
    this.#capacity[pipe] = bytes > 0 ? bytes : DEFAULT_BYTES;
    return pipe;
  }

  /**
   * The user of `pipe` is done; `bytes` are still in it. A pipe with data in it is not used again.
   */
  giveBack(pipe: number, bytes: number): void {
    assertShared(this.outlet(pipe) !== NONE, 'an open pipe is given back');
    if (bytes === 0 && this.#idle.length < MAX_IDLE) this.#idle.push(pipe);
    else this.#close(pipe);
  }

  /**
   * Closes those that were not needed since the last call: each counts among the user's open pipe
   * pages (pipe(7)) even while it is empty. True when some are left.
   */
  trim(): boolean {
    for (const pipe of this.#idle.splice(0, this.#leastIdle)) this.#close(pipe);
    this.#leastIdle = this.#idle.length;
    return this.#leastIdle > 0;
  }

  /** Closes what is not in use. */
  closeIdle(): void {
    for (const pipe of this.#idle.splice(0)) this.#close(pipe);
    this.#leastIdle = 0;
  }

  #close(pipe: number): void {
    closeDescriptor(this.#kernel, adoptDescriptor(this.outlet(pipe)));
    closeDescriptor(this.#kernel, adoptDescriptor(this.inlet(pipe)));
    this.#source[pipe] = NONE;
    this.#target[pipe] = NONE;
    this.#unopened.push(pipe);
  }
}
