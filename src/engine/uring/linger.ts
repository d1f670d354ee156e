/**
 * The last part of `close(flush)`: FIN was sent both ways, and what the peers still say is read and
 * thrown away until they finish too, or have had FAREWELL_MS for it. Closing at once would answer
 * unread bytes with a reset (RFC 1122, 4.2.2.13), which takes away what the peer has not read yet.
 */
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { FAREWELL_MS } from '../../session/tcp_port.js';
import type { Ending } from './ending.js';
import { DRAIN, ENDED, LINGER, NONE, OPEN, type PairTable, STOPPED } from './pairs.js';
import type { ReadSink, Reads } from './reads.js';

export interface LingerParts {
  readonly pairs: PairTable;
  readonly pool: BufferPool;
  readonly reads: Reads;
  readonly ending: Ending;
  readonly calls: SocketCalls;
}

export class Linger implements ReadSink {
  readonly #parts: LingerParts;

  constructor(parts: LingerParts) {
    this.#parts = parts;
    parts.reads.sinks[LINGER] = this;
    // A pair that waits for its reset throws away what comes, too, and waits for nothing more.
    const drop = (_: number, buffer: number): void => parts.pool.recycle(buffer);
    parts.reads.sinks[DRAIN] = { data: drop, over: () => {}, resume: () => {} };
  }

  /** Sends FIN to both peers, where that was not done, and waits for theirs. */
  begin(pair: number): void {
    const { pairs, calls, reads, ending } = this.#parts;
    pairs.phase[pair] = LINGER;
    for (const socket of [2 * pair, 2 * pair + 1]) {
      const fd = pairs.fdOf(socket);
      if (fd === NONE) {
        pairs.source[socket] = ENDED;
        continue;
      }
      // The direction that writes to this socket is the other one.
      if (pairs.finished[socket ^ 1] === 0) {
        pairs.finished[socket ^ 1] = 1;
        calls.finish(fd);
      }
      if (pairs.source[socket] === STOPPED) pairs.source[socket] = OPEN;
      if (pairs.source[socket] === OPEN && reads.idle(socket)) reads.arm(socket, 0, 0);
    }
    ending.whenDelivered(pair, () => {
      ending.later(pair, FAREWELL_MS, () => ending.finish(pair, { kind: 'closed' }));
    });
    this.#finishIfOver(pair);
  }

  data(socket: number, buffer: number, _bytes: number, flags: number): void {
    this.#parts.pool.recycle(buffer);
    this.#parts.reads.arm(socket, flags, 0);
  }

  over(socket: number): void {
    this.#parts.pairs.source[socket] = ENDED;
    this.#finishIfOver(socket >> 1);
  }

  resume(socket: number): void {
    this.#parts.reads.arm(socket, 0, 0);
  }

  #finishIfOver(pair: number): void {
    const { pairs, ending } = this.#parts;
    if (pairs.source[2 * pair] !== OPEN && pairs.source[2 * pair + 1] !== OPEN) {
      ending.finish(pair, { kind: 'closed' });
    }
  }
}
