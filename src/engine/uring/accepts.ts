/**
 * Listening sockets: the ring polls them, and accept4(2) is called directly. So exactly as many
 * connections are accepted as listeners have places for, and the others wait in the kernel's
 * backlog without a descriptor; a multishot accept on the ring would take out all of them at once.
 * The call also gives the client's address, which the ring's does not for more than one.
 *
 * Newcomers come last in a turn, and only a few of them, whatever the number of listeners that have
 * some: a session is expensive to begin, and those that are established have their turn in between.
 */
import { assert, assertShared, present, presentShared } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import { ERRNO, errnoName } from '../../kernel/errno.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { POLLIN, submitClose, submitPoll } from '../../kernel/submissions.js';
import type { ListenerKey, TcpEdges } from '../../session/tcp_port.js';
import { type EncodedAddresses, ROW_BYTES } from './addresses.js';
import type { Delays } from './delays.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, type PairTable } from './pairs.js';
import { CLOSE, CONNECTIONS, GENERATION_MASK, userData } from './user_data.js';

/** After the system ran out of descriptors or memory. */
const RETRY_MS = 100;
/** Connections accepted in a turn, at all listeners together. */
const ACCEPTS_PER_TURN = 4;

interface Listener {
  readonly slot: number;
  readonly key: ListenerKey;
  readonly fd: Descriptor;
  readonly local: Endpoint;
  wanted: 'open' | 'paused' | 'closed';
  /** `ready`: it has connections, as far as is known, and stands in the line of those. */
  poll: 'none' | 'armed' | 'ready' | 'retry-later';
}

export interface AcceptsParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly delays: Delays;
  readonly calls: SocketCalls;
  readonly addresses: EncodedAddresses;
  readonly edges: () => TcpEdges;
  /** After `accepted`: the pair's first bytes may be read. */
  readonly begin: (pair: number) => void;
}

export class Accepts implements TurnWork {
  readonly #parts: AcceptsParts;
  readonly #listeners = new Map<ListenerKey, Listener>();
  readonly #slots: (Listener | undefined)[] = [];
  /** By slot; a slot is used again when its poll has ended. */
  readonly #generations: number[] = [];
  /** Listeners that are `ready`: the first one accepts next, and stands behind the others then. */
  readonly #line: Listener[] = [];

  constructor(parts: AcceptsParts) {
    this.#parts = parts;
    parts.loop.on(
      CONNECTIONS,
      (slot, generation, events) => this.#ready(slot, generation, events),
      (slot, generation) =>
        (this.#generations[slot] ?? 0) === generation && this.#slots[slot]?.poll === 'armed',
    );
    parts.loop.add(this);
  }

  /** Accepts on `fd`, which belongs to this engine from now on. */
  open(key: ListenerKey, fd: Descriptor, local: Endpoint): void {
    assert(!this.#listeners.has(key), `listener ${key} is opened once`);
    const free = this.#slots.indexOf(undefined);
    const slot = free === NONE ? this.#slots.length : free;
    const listener: Listener = { slot, key, fd, local, wanted: 'open', poll: 'none' };
    this.#slots[slot] = listener;
    this.#listeners.set(key, listener);
    this.#goOn(listener);
  }

  pause(key: ListenerKey): void {
    this.#listener(key).wanted = 'paused';
  }

  resume(key: ListenerKey): void {
    const listener = this.#listener(key);
    listener.wanted = 'open';
    this.#goOn(listener);
  }

  /**
   * Accepts the clients that wait, unless the listener is paused. From the return on clients are
   * refused, unless another process holds the socket, too.
   */
  close(key: ListenerKey): void {
    const listener = this.#listener(key);
    let rest = this.#acceptOne(listener);
    while (rest === 'ready') rest = this.#acceptOne(listener);
    this.#shut(listener);
  }

  #shut(listener: Listener): void {
    const { key, slot, fd, poll } = listener;
    const { ring } = this.#parts.loop;
    this.#listeners.delete(key);
    listener.wanted = 'closed';
    if (poll === 'armed') {
      this.#parts.loop.cancel(CONNECTIONS, slot, this.#generations[slot] ?? 0);
    }
    submitClose(ring, fd, userData(CLOSE, 0), 0);
    ring.enter(0);
    this.#goOn(listener);
  }

  closeAll(): void {
    for (const listener of [...this.#listeners.values()]) this.#shut(listener);
  }

  /** Accepts a few: what else has happened in this turn was dealt with before. */
  after(): void {
    for (let count = 0; count < ACCEPTS_PER_TURN; count++) {
      const listener = this.#line.shift();
      if (listener === undefined) return;
      listener.poll = this.#acceptOne(listener);
      if (listener.poll === 'ready') this.#line.push(listener);
      else this.#goOn(listener);
    }
  }

  /** The thread does not sleep while newcomers wait for their turn. */
  dueMs(): number {
    return this.#line.length > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  /** True when no listener is open and no poll is armed. */
  get idle(): boolean {
    return this.#slots.every((listener) => listener === undefined);
  }

  /** Pairs have become free. */
  roomAgain(): void {
    for (const listener of this.#listeners.values()) this.#goOn(listener);
  }

  #listener(key: ListenerKey): Listener {
    return present(this.#listeners.get(key), `listener ${key} is open`);
  }

  /** Waits for connections if they are wanted; forgets a listener that is closed. */
  #goOn(listener: Listener): void {
    const { slot } = listener;
    if (listener.poll !== 'none' || this.#slots[slot] !== listener) return;
    if (listener.wanted === 'open' && this.#parts.pairs.free > 0) {
      const generation = this.#generations[slot] ?? 0;
      const { ring } = this.#parts.loop;
      listener.poll = 'armed';
      submitPoll(ring, listener.fd, POLLIN, userData(CONNECTIONS, slot), generation);
    } else if (listener.wanted === 'closed') {
      this.#slots[slot] = undefined;
      this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) & GENERATION_MASK;
    }
  }

  #ready(slot: number, generation: number, events: number): void {
    const listener = presentShared(this.#slots[slot], 'a poll belongs to a listener');
    assertShared((this.#generations[slot] ?? 0) === generation, 'a poll belongs to its listener');
    listener.poll = events > 0 ? 'ready' : 'none';
    if (events > 0) this.#line.push(listener);
    else this.#goOn(listener);
  }

  /** `ready` as long as there may be more. */
  #acceptOne(listener: Listener): Listener['poll'] {
    const { pairs, calls, addresses } = this.#parts;
    // A session may have paused or closed the listener.
    if (listener.wanted !== 'open' || pairs.free === 0) return 'none';
    const fd = calls.accept(listener.fd, addresses.rowOf(pairs.next), ROW_BYTES);
    if (fd < 0) return this.#afterError(listener, fd);
    this.#adopt(listener, fd);
    return 'ready';
  }

  /** accept(2), "Error handling": most errors are those of one connection and no reason to wait. */
  #afterError(listener: Listener, answer: number): Listener['poll'] {
    switch (-answer) {
      case ERRNO.EAGAIN:
        return 'none';
      case ERRNO.EINTR:
      case ERRNO.ECONNABORTED:
      case ERRNO.EPROTO:
      case ERRNO.EPERM:
        return 'ready';
      default:
        this.#retryLater(listener, errnoName(answer));
        return 'retry-later';
    }
  }

  #retryLater(listener: Listener, errno: string): void {
    this.#parts.delays.later(RETRY_MS, () => {
      listener.poll = 'none';
      this.#goOn(listener);
    });
    this.#parts.edges().acceptFailed(listener.key, errno);
  }

  #adopt(listener: Listener, fd: number): void {
    const { pairs, addresses, loop } = this.#parts;
    const pair = pairs.allocate(fd, loop.nowMs);
    addresses.accepted(pair, listener.local);
    this.#parts.edges().accepted(listener.key, pair as PairId);
    try {
      this.#parts.begin(pair);
    } catch (error) {
      pairs.broken(pair, error);
    }
  }
}
