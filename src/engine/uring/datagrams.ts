/**
 * Datagrams on their way out. Each stands in a buffer of its own, together with the struct msghdr
 * that a reply needs, and is sent silently: what a socket does not take at once is not sent later.
 */
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { MappedMemory } from '../../kernel/memory.js';
import {
  IOVEC_WORDS,
  MESSAGE_WORDS,
  PKTINFO_WORDS,
  writeMessage,
  writeVector,
} from '../../kernel/messages.js';
import { submitSilentMessage, submitSilentSend } from '../../kernel/submissions.js';
import { type FlowAddresses, NAME_WORDS } from './flow_addresses.js';
import type { Loop, TakenWork, TurnWork } from './loop.js';
import { SilentBatch } from './silent_batch.js';
import { FORWARD, REPLY, userData } from './user_data.js';

/** A datagram was not sent: `answer` is a negative errno. The buffer is the owner's again. */
export type Undelivered = (buffer: number, answer: number) => void;

/** Words of one buffer's message: msghdr, iovec, name, control. */
const VECTOR_AT = MESSAGE_WORDS;
const NAME_AT = VECTOR_AT + IOVEC_WORDS;
const CONTROL_AT = NAME_AT + NAME_WORDS;
const ROW_WORDS = CONTROL_AT + PKTINFO_WORDS;
export const messageMemoryBytes = (buffers: number): number => buffers * ROW_WORDS * 4;

export class Datagrams implements TurnWork {
  // By buffer: whose datagram stands in it, and which way it goes (FORWARD or REPLY).
  readonly flow: Int32Array;
  readonly generation: Int32Array;
  /** The listening socket of that flow. */
  readonly key: Int32Array;
  readonly way: Uint8Array;
  /** The upstream that a FORWARD went to, and its use. */
  readonly upstream: Int32Array;
  readonly upstreamGeneration: Int32Array;
  /** Where the datagram begins in the buffer, its length, and how much of it is a prelude. */
  readonly start: Int32Array;
  readonly bytes: Int32Array;
  readonly preludeBytes: Int32Array;

  readonly #loop: Loop;
  readonly #pool: BufferPool;
  readonly #addresses: FlowAddresses;
  readonly #messages: MappedMemory;
  readonly #words: Int32Array;
  readonly #batch: SilentBatch;
  readonly #succeeded: (buffer: number) => void;

  constructor(
    loop: Loop,
    pool: BufferPool,
    addresses: FlowAddresses,
    messages: MappedMemory,
    undelivered: Undelivered,
  ) {
    this.#loop = loop;
    this.#pool = pool;
    this.#addresses = addresses;
    this.#messages = messages;
    this.#words = new Int32Array(messages.buffer);
    this.flow = new Int32Array(pool.count);
    this.generation = new Int32Array(pool.count);
    this.key = new Int32Array(pool.count);
    this.way = new Uint8Array(pool.count);
    this.upstream = new Int32Array(pool.count);
    this.upstreamGeneration = new Int32Array(pool.count);
    this.start = new Int32Array(pool.count);
    this.bytes = new Int32Array(pool.count);
    this.preludeBytes = new Int32Array(pool.count);
    this.#batch = new SilentBatch(pool.count);
    this.#succeeded = (buffer) => pool.recycle(buffer);
    const failed = (buffer: number, _: number, answer: number): void => {
      this.#batch.failed(buffer);
      undelivered(buffer, answer);
    };
    loop.on(FORWARD, failed);
    loop.on(REPLY, failed);
    loop.add(this);
  }

  /** What stands in `buffer`, of `flow` in its present use; nothing of it is a prelude. */
  describe(
    buffer: number,
    flow: number,
    generation: number,
    key: number,
    start: number,
    bytes: number,
  ): void {
    this.flow[buffer] = flow;
    this.generation[buffer] = generation;
    this.key[buffer] = key;
    this.start[buffer] = start;
    this.bytes[buffer] = bytes;
    this.preludeBytes[buffer] = 0;
  }

  /** Sends what the arrays say of `buffer` on the connected socket `fd`. */
  forward(buffer: number, fd: number): void {
    this.way[buffer] = FORWARD;
    this.#batch.add(buffer);
    const pool = this.#pool;
    const from = buffer * pool.strideBytes + (this.start[buffer] ?? 0);
    const bytes = this.bytes[buffer] ?? 0;
    submitSilentSend(this.#loop.ring, fd, pool, from, bytes, userData(FORWARD, buffer), 0);
  }

  /**
   * Sends what the arrays say of `buffer` on the socket `fd` to the flow's client. The flow's
   * addresses are copied: it may be closed, and its number used again, before the kernel looks.
   */
  reply(buffer: number, fd: number): void {
    this.way[buffer] = REPLY;
    this.#batch.add(buffer);
    const words = this.#words;
    const row = buffer * ROW_WORDS;
    const addresses = this.#addresses;
    const flow = this.flow[buffer] ?? 0;
    const nameBytes = addresses.nameBytes[flow] ?? 0;
    const controlBytes = addresses.controlBytes[flow] ?? 0;
    const nameAt = addresses.nameAt(flow);
    for (let word = 0; word < nameBytes >> 2; word++) {
      words[row + NAME_AT + word] = addresses.words[nameAt + word] ?? 0;
    }
    const controlAt = addresses.controlAt(flow);
    for (let word = 0; word < controlBytes >> 2; word++) {
      words[row + CONTROL_AT + word] = addresses.words[controlAt + word] ?? 0;
    }
    const message = this.#messages.address + row * 4;
    writeMessage(
      words,
      row,
      message + NAME_AT * 4,
      nameBytes,
      message + VECTOR_AT * 4,
      controlBytes === 0 ? 0 : message + CONTROL_AT * 4,
      controlBytes,
    );
    const from = this.#pool.addressOf(buffer) + (this.start[buffer] ?? 0);
    writeVector(words, row + VECTOR_AT, from, this.bytes[buffer] ?? 0);
    submitSilentMessage(this.#loop.ring, fd, message, userData(REPLY, buffer), 0);
  }

  before(): void {
    this.#batch.before();
  }

  after(taken: TakenWork): void {
    this.#batch.after(taken, this.#succeeded);
  }
}
