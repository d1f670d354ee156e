/**
 * Sockets of dials. The last ACK of a handshake with a backend travels with the client's first
 * bytes, where those are there by then: that is a packet less, and the backend wakes up once, not
 * twice. It is some 4 % of what a short session costs.
 *
 * Options are set by the ring, at about half of what a system call each costs (0.3 and 0.55 µs),
 * and those that a connection needs only if it lasts come later (late_options.ts). Linux before 6.7
 * refuses that, and from the first refusal on all are set at once by system calls, and the kernel
 * sends its last ACK by itself.
 */
import type { Result } from '../../core/result.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import type { KernelError } from '../../kernel/errno.js';
import { AF_UNIX } from '../../kernel/sockaddr.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { LateOptions } from './late_options.js';
import type { Loop, TurnWork } from './loop.js';
import { EARLY, NONE, type PairTable } from './pairs.js';
import { OPTIONS, PAIR_OPTIONS, userData } from './user_data.js';

export interface HandshakesParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly calls: SocketCalls;
  readonly lateOptions: LateOptions;
  /** Something was sent to the pair's backend, or is about to be. */
  readonly hasSpoken: (pair: number) => boolean;
}

export class Handshakes implements TurnWork {
  readonly #parts: HandshakesParts;
  /** `untried`: by the ring too, but no answer has shown yet that it does. */
  #options: 'untried' | 'by the ring' | 'by calls' = 'untried';
  /** Pairs that were connected in this turn. */
  #connected: number[] = [];

  constructor(parts: HandshakesParts) {
    this.#parts = parts;
    const { loop } = parts;
    loop.on(PAIR_OPTIONS, (pair, generation) => this.#refused(pair, generation));
    loop.add(this);
  }

  /** The ring is known to set options of sockets. */
  get ringSetsOptions(): boolean {
    return this.#options === 'by the ring';
  }

  /** A socket to connect, after `prepare`. */
  open(family: number): Result<Descriptor, KernelError> {
    const { calls } = this.#parts;
    return this.#options === 'by calls' ? calls.open(family) : calls.openBare(family);
  }

  /** Sets what `fd`, which `open` gave for `dial`, needs before the connect that follows. */
  prepare(fd: number, family: number, dial: number, generation: number): void {
    if (family === AF_UNIX || this.#options === 'by calls') return;
    const { calls, loop } = this.#parts;
    calls.submitKeptAck(loop.ring, fd, userData(OPTIONS, dial), generation);
  }

  /** The ring has refused an option of `fd`, whose dial has not been answered yet. */
  unprepared(fd: number): void {
    this.#options = 'by calls';
    this.#parts.calls.setOptions(fd);
  }

  /** `pair`'s socket is connected, over IP. */
  connected(pair: number): void {
    this.#connected.push(pair);
    if (this.#options === 'by calls') return;
    // A refusal would have come before this.
    this.#options = 'by the ring';
    this.#parts.lateOptions.connected(pair);
  }

  /**
   * A backend whose client has not said anything by now must not wait for it. And behind the first
   * bytes quick ACKs are asked for again, which every connection has at its start: a backend that
   * answers in two small writes by Nagle's rule (RFC 896) keeps the second until the first is
   * acknowledged, and would wait for that for 40 ms.
   */
  after(): void {
    if (this.#connected.length === 0) return;
    const { loop, pairs, calls, lateOptions, hasSpoken } = this.#parts;
    for (const pair of this.#connected) {
      const fd = pairs.fdOf(2 * pair + 1);
      if (fd === NONE) continue;
      // Its backend is asked first, by a call.
      if (pairs.phase[pair] === EARLY) lateOptions.spoken(pair);
      if (!hasSpoken(pair)) calls.acknowledge(fd);
      else {
        const low = userData(PAIR_OPTIONS, pair);
        calls.submitAcknowledge(loop.ring, fd, low, pairs.generation[pair] ?? 0);
      }
    }
    this.#connected = [];
  }

  /** Nothing is kept back: what the ring does not do a call does. */
  #refused(pair: number, generation: number): void {
    const { pairs, calls } = this.#parts;
    const fd = pairs.fdOf(2 * pair + 1);
    if (pairs.generation[pair] !== generation || fd === NONE) return;
    calls.setOptions(fd);
    calls.acknowledge(fd);
  }
}
