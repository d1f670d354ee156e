/**
 * The last ACK of a handshake with a backend travels with the client's first bytes, where those are
 * there by then: that is a packet less, and the backend wakes up once, not twice. It is some 4 % of
 * what a short session costs.
 */
import type { Result } from '../../core/result.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import type { KernelError } from '../../kernel/errno.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, type PairTable } from './pairs.js';
import { QUICK_ACKS, userData } from './user_data.js';

export interface HandshakesParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly calls: SocketCalls;
  /** Something was sent to the pair's backend, or is about to be. */
  readonly hasSpoken: (pair: number) => boolean;
}

export class Handshakes implements TurnWork {
  readonly #parts: HandshakesParts;
  #lastAck: 'kept' | 'sent' = 'kept';
  /** Pairs that were connected in this turn. */
  #connected: number[] = [];

  constructor(parts: HandshakesParts) {
    this.#parts = parts;
    const { loop } = parts;
    loop.on(QUICK_ACKS, (pair, generation) => this.#refused(pair, generation));
    loop.add(this);
  }

  /** A socket to connect. */
  open(family: number): Result<Descriptor, KernelError> {
    return this.#parts.calls.open(family, this.#lastAck);
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

  /** Linux before 6.7 cannot do it in order, and then the kernel's own way is the better one. */
  #refused(pair: number, generation: number): void {
    const { pairs, calls } = this.#parts;
    this.#lastAck = 'sent';
    const fd = pairs.fdOf(2 * pair + 1);
    if (pairs.generation[pair] === generation && fd !== NONE) calls.acknowledge(fd);
  }
}
