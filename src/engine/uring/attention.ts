/**
 * What sessions want to know of what their backends say: of each the first byte, and of one that is
 * overheard all of it. Where nothing more is wanted, a message costs one read of one byte.
 */
import type { PairId } from '../../core/brand.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { TcpEdges } from '../../session/tcp_port.js';
import { type PairTable, RELAY } from './pairs.js';

const FIRST_BYTE = 1;
const ALL = 2;

export interface AttentionParts {
  readonly pairs: PairTable;
  readonly pool: BufferPool;
  readonly edges: () => TcpEdges;
}

export class Attention {
  readonly #parts: AttentionParts;
  /** By pair: FIRST_BYTE and ALL. */
  readonly #wanted: Uint8Array;

  constructor(parts: AttentionParts) {
    this.#parts = parts;
    this.#wanted = new Uint8Array(parts.pairs.capacity);
  }

  /** The relay of `pair` begins. */
  start(pair: number): void {
    this.#wanted[pair] = (this.#wanted[pair] ?? 0) | FIRST_BYTE;
  }

  overhear(pair: number): void {
    this.#wanted[pair] = ALL;
  }

  overhearDone(pair: number): void {
    this.#wanted[pair] = (this.#wanted[pair] ?? 0) & ~ALL;
  }

  clear(pair: number): void {
    this.#wanted[pair] = 0;
  }

  /** True: `tell` is to be called with what the backend says. */
  isDue(direction: number): boolean {
    return (direction & 1) === 1 && this.#wanted[direction >> 1] !== 0;
  }

  /** True: all that comes that way has to be seen, and not only passed on. */
  isOverheard(direction: number): boolean {
    return (direction & 1) === 1 && ((this.#wanted[direction >> 1] ?? 0) & ALL) !== 0;
  }

  /** The backend has said what stands in `buffer`. An edge may end the pair. */
  tell(pair: number, buffer: number, bytes: number): void {
    const { pairs, pool, edges } = this.#parts;
    const wanted = this.#wanted[pair] ?? 0;
    this.#wanted[pair] = wanted & ~FIRST_BYTE;
    if (pairs.phase[pair] !== RELAY) return;
    if ((wanted & FIRST_BYTE) !== 0) edges().firstByte(pair as PairId);
    if ((wanted & ALL) === 0 || pairs.phase[pair] !== RELAY) return;
    const start = buffer * pool.strideBytes;
    edges().heard(pair as PairId, pool.bytes.subarray(start, start + bytes));
  }
}
