/**
 * Listening sockets. One multishot accept a listener reports each connection; a listener that was
 * paused accepts one at a time for a while, because a multishot accept takes everything out of the
 * backlog at once, and what it takes while nobody wants it must be parked here.
 */
import { assert, present } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import { ERRNO, errnoName } from '../../kernel/errno.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../kernel/sockets.js';
import { submitAccept, submitCancel, submitClose } from '../../kernel/submissions.js';
import { CQE_F_MORE } from '../../kernel/uring_abi.js';
import type { Appetite, ListenerKey, TcpEdges } from '../../session/tcp_port.js';
import type { Addresses } from './addresses.js';
import type { Delays } from './delays.js';
import type { Loop } from './loop.js';
import { ENDING, NONE, type PairTable } from './pairs.js';
import { ACCEPT, CANCEL, CLOSE, GENERATION_MASK, userData } from './user_data.js';

/** After the system ran out of descriptors or memory. */
const RETRY_MS = 100;

interface Listener {
  readonly slot: number;
  readonly key: ListenerKey;
  readonly fd: Descriptor;
  readonly local: Endpoint;
  wanted: 'open' | 'paused' | 'closed';
  accept: 'none' | 'armed' | 'cancelling' | 'retry-later';
  appetite: Appetite;
  /** Accepted when nobody wanted them; first come, first served. */
  readonly parked: number[];
}

export interface AcceptsParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly delays: Delays;
  readonly addresses: Addresses;
  readonly edges: () => TcpEdges;
  /** After `accepted`: the pair's first bytes may be read. */
  readonly begin: (pair: number) => void;
}

export class Accepts {
  readonly #parts: AcceptsParts;
  readonly #listeners = new Map<ListenerKey, Listener>();
  readonly #slots: (Listener | undefined)[] = [];
  /** By slot; a slot is used again when its accept has ended. */
  readonly #generations: number[] = [];

  constructor(parts: AcceptsParts) {
    this.#parts = parts;
    parts.loop.on(ACCEPT, (slot, generation, result, flags) => {
      this.#answered(slot, generation, result, flags);
    });
  }

  /** Accepts on `fd`, which belongs to this engine from now on. */
  open(key: ListenerKey, fd: Descriptor, local: Endpoint): void {
    assert(!this.#listeners.has(key), `listener ${key} is opened once`);
    const free = this.#slots.indexOf(undefined);
    const slot = free === NONE ? this.#slots.length : free;
    const listener: Listener = {
      slot,
      key,
      fd,
      local,
      wanted: 'open',
      accept: 'none',
      appetite: 'single',
      parked: [],
    };
    this.#slots[slot] = listener;
    this.#listeners.set(key, listener);
    this.#goOn(listener);
  }

  pause(key: ListenerKey): void {
    const listener = this.#listener(key);
    listener.wanted = 'paused';
    this.#cancel(listener);
  }

  resume(key: ListenerKey): void {
    const listener = this.#listener(key);
    listener.wanted = 'open';
    this.#parts.loop.soon(() => this.#goOn(listener));
  }

  /** An accept of many that is in flight ends; the next one is of the new kind. */
  setAppetite(key: ListenerKey, appetite: Appetite): void {
    const listener = this.#listener(key);
    if (listener.appetite === appetite) return;
    listener.appetite = appetite;
    if (appetite === 'single') this.#cancel(listener);
  }

  close(key: ListenerKey): void {
    const listener = this.#listener(key);
    this.#listeners.delete(key);
    listener.wanted = 'closed';
    this.#cancel(listener);
    for (const fd of listener.parked.splice(0)) this.#closeSocket(fd);
    this.#closeSocket(listener.fd);
    // From now on clients are refused, and not only from the next turn on.
    this.#parts.loop.ring.enter(0);
    this.#goOn(listener);
  }

  closeAll(): void {
    for (const key of [...this.#listeners.keys()]) this.close(key);
  }

  /** True when no accept is in flight. */
  get idle(): boolean {
    return this.#slots.every((listener) => listener === undefined);
  }

  /** Pairs have become free. */
  roomAgain(): void {
    for (const listener of this.#listeners.values()) {
      if (listener.accept === 'none') this.#goOn(listener);
    }
  }

  #listener(key: ListenerKey): Listener {
    return present(this.#listeners.get(key), `listener ${key} is open`);
  }

  /** Does what `wanted` asks for, as far as nothing is in the way. */
  #goOn(listener: Listener): void {
    const { pairs } = this.#parts;
    if (this.#slots[listener.slot] !== listener) return;
    while (listener.wanted === 'open' && listener.parked.length > 0 && pairs.free > 0) {
      this.#adopt(listener, listener.parked.shift() ?? NONE);
    }
    // An edge may have closed the listener.
    if (listener.accept !== 'none' || this.#slots[listener.slot] !== listener) return;
    if (listener.wanted === 'closed') this.#forget(listener);
    else if (listener.wanted === 'open' && pairs.free > 0) this.#arm(listener);
  }

  #arm(listener: Listener): void {
    listener.accept = 'armed';
    submitAccept(
      this.#parts.loop.ring,
      listener.fd,
      listener.appetite === 'single' ? 'one' : 'many',
      SOCK_NONBLOCK | SOCK_CLOEXEC,
      userData(ACCEPT, listener.slot),
      this.#generations[listener.slot] ?? 0,
    );
  }

  #cancel(listener: Listener): void {
    if (listener.accept !== 'armed') return;
    listener.accept = 'cancelling';
    const { slot } = listener;
    const generation = this.#generations[slot] ?? 0;
    const { ring } = this.#parts.loop;
    submitCancel(ring, userData(ACCEPT, slot), generation, userData(CANCEL, slot), 0);
  }

  #answered(slot: number, generation: number, result: number, flags: number): void {
    const listener = present(this.#slots[slot], 'an accept belongs to a listener');
    assert((this.#generations[slot] ?? 0) === generation, 'an accept belongs to its listener');
    if ((flags & CQE_F_MORE) === 0) listener.accept = 'none';
    if (result >= 0) this.#arrived(listener, result);
    else this.#failed(listener, result);
    this.#goOn(listener);
  }

  #arrived(listener: Listener, fd: number): void {
    if (listener.wanted === 'closed') this.#closeSocket(fd);
    else listener.parked.push(fd);
    // Nobody can take more: the others stay in the kernel's backlog.
    if (this.#parts.pairs.free <= listener.parked.length) this.#cancel(listener);
  }

  /** accept(2), "Error handling": most errors are those of one connection and no reason to wait. */
  #failed(listener: Listener, answer: number): void {
    switch (-answer) {
      case ERRNO.ECANCELED:
      case ERRNO.EINTR:
      case ERRNO.EAGAIN:
      case ERRNO.ECONNABORTED:
      case ERRNO.EPROTO:
      case ERRNO.EPERM:
        return;
      default:
        this.#retryLater(listener, errnoName(answer));
    }
  }

  #retryLater(listener: Listener, errno: string): void {
    listener.accept = 'retry-later';
    this.#parts.delays.later(RETRY_MS, () => {
      listener.accept = 'none';
      this.#goOn(listener);
    });
    if (listener.wanted !== 'closed') this.#parts.edges().acceptFailed(listener.key, errno);
  }

  #adopt(listener: Listener, fd: number): void {
    const { pairs, addresses, loop } = this.#parts;
    const pair = pairs.allocate(fd, loop.nowMs);
    if (addresses.record(pair, fd, listener.local) < 0) {
      // The client has reset the connection before anybody saw it.
      pairs.phase[pair] = ENDING;
      this.#closeSocket(pairs.takeDescriptor(2 * pair));
      pairs.release(pair);
      return;
    }
    this.#parts.edges().accepted(listener.key, pair as PairId);
    this.#parts.begin(pair);
  }

  #closeSocket(fd: number): void {
    submitClose(this.#parts.loop.ring, fd, userData(CLOSE, 0), 0);
  }

  #forget(listener: Listener): void {
    this.#slots[listener.slot] = undefined;
    const generation = this.#generations[listener.slot] ?? 0;
    this.#generations[listener.slot] = (generation + 1) & GENERATION_MASK;
  }
}
