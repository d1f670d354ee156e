/**
 * Connected sockets of UDP flows. Each has a number of its own, so that a flow may leave one and
 * take another while replies of the first are still under way: those are dropped.
 */
import { assertShared } from '../../core/assert.js';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import { err, ok, type Result } from '../../core/result.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import { ERRNO, type KernelError, kernelError } from '../../kernel/errno.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { submitClose, submitReceive } from '../../kernel/submissions.js';
import {
  CQE_BUFFER_SHIFT,
  CQE_F_BUFFER,
  CQE_F_MORE,
  RECV_MULTISHOT,
} from '../../kernel/uring_abi.js';
import type { ListenerKey } from '../../session/tcp_port.js';
import type { SelfDials } from '../self_dials.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE } from './pairs.js';
import { Starved } from './starved.js';
import { CLOSE, GENERATION_MASK, REPLIES, userData } from './user_data.js';

export interface UpstreamOwner {
  /** What breaks in dealing with the flow's replies. */
  broken(flow: number, error: unknown): void;
  /** A reply of `bytes` in `buffer`, which is the owner's now. */
  replied(flow: number, buffer: number, bytes: number): void;
  /**
   * A reply came when it was not waited for any more; `key`: the socket that it would have left by.
   */
  late(key: ListenerKey): void;
  /** A reply without payload. */
  repliedEmpty(flow: number): void;
  /** The socket reported a negative errno, mostly what ICMP said about an earlier datagram. */
  failed(flow: number, answer: number): void;
}

/** No receive is armed. */
const OFF = 0;
const ARMED = 1;
/** Waits for buffers. */
const STARVED = 2;

export class Upstreams implements TurnWork {
  readonly #loop: Loop;
  readonly #pool: BufferPool;
  readonly #calls: SocketCalls;
  readonly #selfDials: SelfDials;
  readonly #owner: UpstreamOwner;
  // By upstream.
  readonly #fd: Int32Array;
  /** NONE: given up; the number is free when its receive has ended. */
  readonly #flow: Int32Array;
  readonly #generation: Int32Array;
  /** The listening socket of its flow. */
  readonly #key: Int32Array;
  /** OFF, ARMED or STARVED. */
  readonly #receive: Uint8Array;
  readonly #free: number[];
  /** Upstreams that wait for buffers. */
  readonly #starved: Starved<number>;

  constructor(
    loop: Loop,
    pool: BufferPool,
    calls: SocketCalls,
    selfDials: SelfDials,
    flows: number,
    owner: UpstreamOwner,
  ) {
    this.#loop = loop;
    this.#pool = pool;
    this.#starved = new Starved(pool);
    this.#calls = calls;
    this.#selfDials = selfDials;
    this.#owner = owner;
    const capacity = flows + Math.min(flows, 1024);
    this.#fd = new Int32Array(capacity).fill(NONE);
    this.#flow = new Int32Array(capacity).fill(NONE);
    this.#generation = new Int32Array(capacity);
    this.#key = new Int32Array(capacity);
    this.#receive = new Uint8Array(capacity);
    this.#free = Array.from({ length: capacity }, (_, index) => capacity - 1 - index);
    loop.on(
      REPLIES,
      (upstream, generation, result, flags) => {
        this.#received(upstream, generation, result, flags);
      },
      (upstream, generation) =>
        this.#generation[upstream] === generation && this.#receive[upstream] === ARMED,
    );
    loop.add(this);
  }

  /**
   * A socket that is connected to `target`, from `source` (null: the kernel chooses), and whose
   * replies are `flow`'s, which came by `key`.
   */
  open(
    flow: number,
    key: ListenerKey,
    target: Endpoint,
    source: IpEndpoint | null,
  ): Result<number, KernelError> {
    const upstream = this.#free.pop();
    if (upstream === undefined) {
      const sentence = 'too many sockets are being closed at the moment';
      return err({ call: 'socket', errno: 'EMFILE', sentence });
    }
    const opened = this.#connect(target, source);
    if (!opened.ok) {
      this.#free.push(upstream);
      return opened;
    }
    this.#fd[upstream] = opened.value;
    this.#flow[upstream] = flow;
    this.#key[upstream] = key;
    this.#arm(upstream);
    return ok(upstream);
  }

  fdOf(upstream: number): number {
    return this.#fd[upstream] ?? NONE;
  }

  /** Distinguishes the uses of a number. */
  generationOf(upstream: number): number {
    return this.#generation[upstream] ?? 0;
  }

  /** Closes the socket behind what was submitted before; nothing of it is reported any more. */
  close(upstream: number): void {
    const { ring } = this.#loop;
    assertShared(this.#flow[upstream] !== NONE, 'an upstream is closed once');
    this.#flow[upstream] = NONE;
    if (this.#receive[upstream] === STARVED) this.#receive[upstream] = OFF;
    if (this.#receive[upstream] === ARMED) {
      this.#loop.cancel(REPLIES, upstream, this.#generation[upstream] ?? 0);
    }
    submitClose(ring, this.fdOf(upstream), userData(CLOSE, 0), 0);
    this.#fd[upstream] = NONE;
    this.#releaseIfOver(upstream);
  }

  /** True when no receive is armed. */
  get idle(): boolean {
    return this.#free.length === this.#fd.length;
  }

  after(): void {
    if (this.dueMs() > 0) return;
    for (const upstream of this.#starved.take()) {
      if (this.#receive[upstream] === STARVED) this.#arm(upstream);
    }
  }

  dueMs(): number {
    return this.#starved.dueMs();
  }

  #connect(target: Endpoint, source: IpEndpoint | null): Result<Descriptor, KernelError> {
    const { nowMs } = this.#loop;
    const calls = this.#calls;
    const opened = calls.openConnected(target, source);
    const suspect = opened.ok ? this.#selfDials.suspect(target, nowMs) : null;
    if (!opened.ok || suspect === null) return opened;
    const fd = opened.value;
    const sameHost = (): boolean => calls.sameHost(fd);
    if (!this.#selfDials.isOne(suspect, calls.localPort(fd), sameHost, nowMs)) return opened;
    // At once: the next backend is tried now, and may need the port.
    calls.close(fd);
    return err(kernelError('connect', -ERRNO.ECONNREFUSED));
  }

  #arm(upstream: number): void {
    this.#receive[upstream] = ARMED;
    const { ring } = this.#loop;
    const low = userData(REPLIES, upstream);
    const generation = this.#generation[upstream] ?? 0;
    const { group } = this.#pool;
    submitReceive(ring, this.fdOf(upstream), group, 0, RECV_MULTISHOT, low, generation);
  }

  #received(upstream: number, generation: number, result: number, flags: number): void {
    assertShared(this.#generation[upstream] === generation, 'a reply belongs to the present use');
    let buffer = NONE;
    if ((flags & CQE_F_BUFFER) !== 0) {
      buffer = flags >>> CQE_BUFFER_SHIFT;
      this.#pool.consumed(buffer);
    }
    if ((flags & CQE_F_MORE) === 0) this.#receive[upstream] = OFF;
    const flow = this.#flow[upstream] ?? NONE;
    if (buffer !== NONE && (flow === NONE || result <= 0)) this.#pool.recycle(buffer);
    if (flow === NONE) {
      if (result >= 0) this.#owner.late((this.#key[upstream] ?? 0) as ListenerKey);
      this.#releaseIfOver(upstream);
      return;
    }
    try {
      if (result > 0) this.#owner.replied(flow, buffer, result);
      else this.#withoutData(flow, upstream, result);
    } catch (error) {
      this.#owner.broken(flow, error);
    }
    // The owner may have closed it, and it may be in use again.
    if (this.#generation[upstream] !== generation || this.#flow[upstream] === NONE) return;
    if (this.#receive[upstream] === OFF) this.#arm(upstream);
  }

  #withoutData(flow: number, upstream: number, result: number): void {
    if (result === 0) this.#owner.repliedEmpty(flow);
    else if (result === -ERRNO.ENOBUFS) {
      this.#pool.ranEmpty();
      this.#receive[upstream] = STARVED;
      this.#starved.add(upstream);
    } else if (result !== -ERRNO.ECANCELED && result !== -ERRNO.EINTR) {
      this.#owner.failed(flow, result);
    }
  }

  #releaseIfOver(upstream: number): void {
    if (this.#receive[upstream] === ARMED) return;
    this.#generation[upstream] = ((this.#generation[upstream] ?? 0) + 1) & GENERATION_MASK;
    this.#free.push(upstream);
  }
}
