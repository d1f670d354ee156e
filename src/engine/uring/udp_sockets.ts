/**
 * Listening UDP sockets: one multishot receive each. Every datagram comes in a buffer of its own,
 * behind the client's address and, on a wildcard address, the local address that it was sent to.
 */
import { assert, assertShared, present, presentShared } from '../../core/assert.js';
import { type IpEndpoint, isWildcard } from '../../core/endpoint.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import { ERRNO } from '../../kernel/errno.js';
import type { MappedMemory } from '../../kernel/memory.js';
import { MESSAGE_WORDS, writeMessage } from '../../kernel/messages.js';
import { SOCKADDR_IN6_BYTES } from '../../kernel/sockaddr.js';
import { submitClose, submitReceiveMessages } from '../../kernel/submissions.js';
import { CQE_BUFFER_SHIFT, CQE_F_BUFFER, CQE_F_MORE } from '../../kernel/uring_abi.js';
import type { ListenerKey } from '../../session/tcp_port.js';
import type { Framing } from '../../session/udp_port.js';
import type { Delays } from './delays.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE } from './pairs.js';
import { Starved } from './starved.js';
import { CLOSE, DATAGRAMS, GENERATION_MASK, userData } from './user_data.js';

/** struct io_uring_recvmsg_out, name and control messages stand in front of each payload. */
export const PAYLOAD_AT = 256;
const NAME_ROOM = SOCKADDR_IN6_BYTES;
const RECEIVED_BYTES = 16;
const CONTROL_ROOM = PAYLOAD_AT - RECEIVED_BYTES - NAME_ROOM;
/** Where name and control messages begin, in words. */
export const NAME_AT = RECEIVED_BYTES / 4;
export const CONTROL_AT = (RECEIVED_BYTES + NAME_ROOM) / 4;

/** One struct msghdr for all sockets. */
export const TEMPLATE_BYTES = MESSAGE_WORDS * 4;

/** After an error that says nothing about one datagram. */
const RETRY_MS = 100;

export interface UdpSocket {
  readonly slot: number;
  readonly key: ListenerKey;
  readonly fd: Descriptor;
  readonly local: IpEndpoint;
  /** `wildcard`: each datagram comes with the local address that it was sent to. */
  readonly binding: 'specific' | 'wildcard';
  framing: Framing;
  /** `left`: nothing more is received; flows may still reply. */
  state: 'open' | 'left' | 'closed';
  receive: 'none' | 'armed' | 'later';
  /** Called when no receive is armed any more. */
  dry: () => void;
}

const doNothing = (): void => {};

/** Takes each datagram: the buffer is the owner's then. */
export type DatagramSink = (socket: UdpSocket, buffer: number) => void;

export class UdpSockets implements TurnWork {
  readonly #loop: Loop;
  readonly #pool: BufferPool;
  readonly #delays: Delays;
  readonly #template: number;
  readonly #sink: DatagramSink;
  readonly #byKey = new Map<ListenerKey, UdpSocket>();
  readonly #slots: (UdpSocket | undefined)[] = [];
  readonly #generations: number[] = [];
  /** Sockets that wait for buffers. */
  readonly #starved: Starved<UdpSocket>;

  constructor(
    loop: Loop,
    pool: BufferPool,
    delays: Delays,
    template: MappedMemory,
    sink: DatagramSink,
  ) {
    this.#loop = loop;
    this.#pool = pool;
    this.#starved = new Starved(pool);
    this.#delays = delays;
    this.#template = template.address;
    this.#sink = sink;
    // Only the two lengths matter to a multishot receive.
    writeMessage(new Int32Array(template.buffer), 0, 0, NAME_ROOM, 0, 0, CONTROL_ROOM);
    loop.on(
      DATAGRAMS,
      (slot, generation, result, flags) => this.#received(slot, generation, result, flags),
      (slot, generation) =>
        (this.#generations[slot] ?? 0) === generation && this.#slots[slot]?.receive === 'armed',
    );
    loop.add(this);
  }

  /** Receives on `fd`, which belongs to this engine from now on. */
  open(key: ListenerKey, fd: Descriptor, local: IpEndpoint, framing: Framing): void {
    assert(!this.#byKey.has(key), `listener ${key} is opened once`);
    const free = this.#slots.indexOf(undefined);
    const slot = free === NONE ? this.#slots.length : free;
    const binding = isWildcard(local) ? 'wildcard' : 'specific';
    const socket: UdpSocket = {
      slot,
      key,
      fd,
      local,
      binding,
      framing,
      state: 'open',
      receive: 'none',
      dry: doNothing,
    };
    this.#slots[slot] = socket;
    this.#byKey.set(key, socket);
    this.#arm(socket);
  }

  byKey(key: ListenerKey): UdpSocket {
    return present(this.#byKey.get(key), `listener ${key} is open`);
  }

  /**
   * Receives what has come by now and nothing after it; calls `dry` when all of that has been
   * handed on.
   */
  leave(key: ListenerKey, dry: () => void): void {
    const socket = this.byKey(key);
    socket.state = 'left';
    if (socket.receive !== 'armed') return dry();
    socket.dry = dry;
    // An armed receive takes what waits in the socket with each entry; a cancelled one does not.
    this.#loop.ring.enter(0);
    this.#cancel(socket);
  }

  /** The address is free when the call returns. What was received and not handed on is lost. */
  close(key: ListenerKey): void {
    const socket = this.byKey(key);
    const { ring } = this.#loop;
    this.#byKey.delete(key);
    if (socket.state === 'open' && socket.receive === 'armed') this.#cancel(socket);
    socket.state = 'closed';
    submitClose(ring, socket.fd, userData(CLOSE, 0), 0);
    ring.enter(0);
    this.#forgetIfOver(socket);
  }

  closeAll(): void {
    for (const key of [...this.#byKey.keys()]) this.close(key);
  }

  /** True when no receive is armed and no socket is open. */
  get idle(): boolean {
    return this.#slots.every((socket) => socket === undefined);
  }

  after(): void {
    if (this.dueMs() > 0) return;
    // A closed one among them waits for no buffer.
    for (const socket of this.#starved.takeAll()) this.#rearm(socket);
  }

  dueMs(): number {
    return this.#starved.dueMs();
  }

  #arm(socket: UdpSocket): void {
    socket.receive = 'armed';
    const { slot, fd } = socket;
    const generation = this.#generations[slot] ?? 0;
    const low = userData(DATAGRAMS, slot);
    const { ring } = this.#loop;
    submitReceiveMessages(ring, fd, this.#template, this.#pool.group, low, generation);
  }

  #cancel({ slot }: UdpSocket): void {
    this.#loop.cancel(DATAGRAMS, slot, this.#generations[slot] ?? 0);
  }

  #rearm(socket: UdpSocket): void {
    if (socket.state === 'open') return this.#arm(socket);
    socket.receive = 'none';
    socket.dry();
    socket.dry = doNothing;
    this.#forgetIfOver(socket);
  }

  #received(slot: number, generation: number, result: number, flags: number): void {
    const socket = presentShared(this.#slots[slot], 'a datagram belongs to a socket');
    assertShared((this.#generations[slot] ?? 0) === generation, 'a datagram belongs to its socket');
    if ((flags & CQE_F_MORE) === 0) socket.receive = 'none';
    if ((flags & CQE_F_BUFFER) !== 0) {
      const buffer = flags >>> CQE_BUFFER_SHIFT;
      this.#pool.consumed(buffer);
      if (result > 0 && socket.state !== 'closed') this.#sink(socket, buffer);
      else this.#pool.recycle(buffer);
    }
    if (socket.receive === 'none') this.#ended(socket, result);
  }

  /** The receive has ended, with a datagram or without one. */
  #ended(socket: UdpSocket, result: number): void {
    if (socket.state !== 'open') return this.#rearm(socket);
    if (result === -ERRNO.ENOBUFS) {
      this.#pool.ranEmpty();
      socket.receive = 'later';
      this.#starved.add(socket);
    } else if (result < 0 && result !== -ERRNO.ECANCELED && result !== -ERRNO.EINTR) {
      socket.receive = 'later';
      this.#delays.later(RETRY_MS, () => this.#rearm(socket));
    } else {
      this.#rearm(socket);
    }
  }

  #forgetIfOver(socket: UdpSocket): void {
    if (socket.receive !== 'none' || socket.state !== 'closed') return;
    if (this.#slots[socket.slot] !== socket) return;
    this.#slots[socket.slot] = undefined;
    const generation = this.#generations[socket.slot] ?? 0;
    this.#generations[socket.slot] = (generation + 1) & GENERATION_MASK;
  }
}
