/**
 * Sockets of dials. The last ACK of a handshake with a backend travels with the client's first
 * bytes, where those are there by then: that is a packet less, and the backend wakes up once, not
 * twice. It is some 4 % of what a short session costs.
 *
 * Options are set by the ring, in front of the connect and in the same entry, at about half of what
 * a system call each costs (0.3 and 0.55 µs). Linux before 6.7 refuses that, and from the first
 * refusal on they are set by system calls, and the kernel sends its last ACK by itself.
 */
import type { Result } from '../../core/result.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import type { KernelError } from '../../kernel/errno.js';
import { AF_UNIX } from '../../kernel/sockaddr.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, type PairTable } from './pairs.js';
import { OPTIONS, QUICK_ACKS, userData } from './user_data.js';

export interface HandshakesParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly calls: SocketCalls;
  /** Something was sent to the pair's backend, or is about to be. */
  readonly hasSpoken: (pair: number) => boolean;
}

export class Handshakes implements TurnWork {
  readonly #parts: HandshakesParts;
  #options: 'by the ring' | 'by calls' = 'by the ring';
  /** Pairs that were connected in this turn. */
  #connected: number[] = [];

  constructor(parts: HandshakesParts) {
    this.#parts = parts;
    const { loop } = parts;
    loop.on(QUICK_ACKS, (pair, generation) => this.#refused(pair, generation));
    loop.add(this);
  }

  /** A socket to connect, after `prepare`. */
  open(family: number): Result<Descriptor, KernelError> {
    const { calls } = this.#parts;
    return this.#options === 'by the ring' ? calls.openBare(family) : calls.open(family);
  }

  /** Sets the options of `fd`, which `open` gave for `dial`, before what is submitted next. */
  prepare(fd: number, family: number, dial: number, generation: number): void {
    if (family === AF_UNIX || this.#options === 'by calls') return;
    const { calls, loop } = this.#parts;
    calls.submitOptions(loop.ring, fd, userData(OPTIONS, dial), generation);
  }

  /** The ring has refused an option of `fd`, whose dial has not been answered yet. */
  unprepared(fd: number): void {
    this.#options = 'by calls';
    this.#parts.calls.setOptions(fd);
  }

  /** `pair`'s socket is connected, over IP. */
  connected(pair: number): void {
    this.#connected.push(pair);
  }

  /**
   * A backend whose client has not said anything by now must not wait for it. And behind the first
   * bytes quick ACKs are asked for again, which every connection has at its start: a backend that
   * answers in two small writes by Nagle's rule (RFC 896) keeps the second until the first is
   * acknowledged, and would wait for that for 40 ms.
   */
  after(): void {
    if (this.#connected.length === 0) return;
    const { loop, pairs, calls, hasSpoken } = this.#parts;
    for (const pair of this.#connected) {
      const fd = pairs.fdOf(2 * pair + 1);
      if (fd === NONE) continue;
      if (!hasSpoken(pair)) calls.acknowledge(fd);
      else {
        const low = userData(QUICK_ACKS, pair);
        calls.submitAcknowledge(loop.ring, fd, low, pairs.generation[pair] ?? 0);
      }
    }
    this.#connected = [];
  }

  /** Nothing is kept back: what the ring does not do a call does. */
  #refused(pair: number, generation: number): void {
    const { pairs, calls } = this.#parts;
    const fd = pairs.fdOf(2 * pair + 1);
    if (pairs.generation[pair] === generation && fd !== NONE) calls.acknowledge(fd);
  }
}
