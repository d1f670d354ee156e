/** Everything that an engine needs and may fail to be had: taken together, given back together. */
import { err, ok, type Result } from '../../core/result.js';
import { BufferPool, type BufferPoolOptions } from '../../kernel/buffer_pool.js';
import type { KernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { type MappedMemory, mapMemory, releaseMemory } from '../../kernel/memory.js';
import { Ring } from '../../kernel/ring.js';
import { SocketCalls } from '../../kernel/socket_calls.js';
import type { EngineLimits } from '../engine.js';
import { addressMemoryBytes } from './addresses.js';
import { messageMemoryBytes } from './datagrams.js';
import { dialMemoryBytes } from './dials.js';
import { PAYLOAD_AT, TEMPLATE_BYTES } from './udp_sockets.js';

/** How much an engine has of what it can run out of: powers of two, unless something is said. */
export interface Sizes {
  /** Submissions that are collected before the kernel is entered for lack of room. */
  readonly entries: number;
  /** Room for the completions of one turn; more of them wait inside the kernel. */
  readonly completions: number;
  /** Buffers of all TCP sessions, and of all UDP flows. */
  readonly buffers: number;
  readonly datagramBuffers: number;
  /** Small buffers, of SMALL_BYTES, for data whose target takes nothing; any number. */
  readonly small: number;
  /**
   * Copied of what clients send before their relays, any number; beyond it only PROXY headers are
   * read ahead.
   */
  readonly earlyBytes: number;
  /** Pipes that move bulk data at the same time, any number; two descriptors each. */
  readonly pipes: number;
}

/**
 * Twice 64 MiB of buffers and 256 MiB of small ones at most; what is not in use is given back.
 */
export const SIZES: Sizes = {
  entries: 4096,
  completions: 16_384,
  buffers: 1024,
  datagramBuffers: 1024,
  small: 16_384,
  earlyBytes: 64 * 1_048_576,
  pipes: 256,
};

const TCP_POOL = { group: 1, bufferBytes: 65_536 } as const;
/** The largest datagram, and what stands in front of it. */
const UDP_POOL = { group: 2, bufferBytes: PAYLOAD_AT + 65_536 } as const;

export interface Means {
  readonly ring: Ring;
  readonly calls: SocketCalls;
  readonly tcpPool: BufferPool;
  readonly udpPool: BufferPool;
  readonly clientAddresses: MappedMemory;
  readonly dialAddresses: MappedMemory;
  readonly messages: MappedMemory;
  readonly template: MappedMemory;
  /** Gives everything back. */
  readonly release: () => void;
}

export function takeMeans(
  kernel: Kernel,
  limits: EngineLimits,
  sizes: Sizes,
): Result<Means, KernelError> {
  const taken = new Taken(kernel);
  try {
    const ring = taken.ring(sizes);
    return ok({
      ring,
      calls: taken.one(SocketCalls.create(kernel)),
      tcpPool: taken.pool(ring, { ...TCP_POOL, count: sizes.buffers, small: sizes.small }),
      udpPool: taken.pool(ring, { ...UDP_POOL, count: sizes.datagramBuffers }),
      clientAddresses: taken.memory(addressMemoryBytes(limits.pairs)),
      dialAddresses: taken.memory(dialMemoryBytes(limits.pairs)),
      messages: taken.memory(messageMemoryBytes(sizes.datagramBuffers)),
      template: taken.memory(TEMPLATE_BYTES),
      release: () => taken.release(),
    });
  } catch (failure) {
    taken.release();
    if (failure instanceof NotHad) return err(failure.error);
    throw failure;
  }
}

/** Leaves the expression that takes everything at the first thing that cannot be had. */
class NotHad extends Error {
  readonly error: KernelError;

  constructor(error: KernelError) {
    super(error.sentence);
    this.error = error;
  }
}

class Taken {
  readonly #kernel: Kernel;
  readonly #undo: (() => void)[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  one<T>(result: Result<T, KernelError>): T {
    if (result.ok) return result.value;
    throw new NotHad(result.error);
  }

  ring({ entries, completions }: Sizes): Ring {
    const ring = this.one(Ring.open(this.#kernel, entries, completions));
    this.#undo.push(() => ring.close());
    return ring;
  }

  pool(ring: Ring, options: BufferPoolOptions): BufferPool {
    const pool = this.one(BufferPool.create(this.#kernel, ring, options));
    this.#undo.push(() => pool.close());
    return pool;
  }

  memory(bytes: number): MappedMemory {
    const memory = this.one(mapMemory(this.#kernel, bytes));
    this.#undo.push(() => releaseMemory(this.#kernel, memory));
    return memory;
  }

  /** In the order of taking: the ring first, for nothing may be in flight into what follows. */
  release(): void {
    for (const step of this.#undo.splice(0)) step();
  }
}
