/**
 * The calls that each session makes on its sockets. Their arguments stand in mapped memory, written
 * once, so that a call neither allocates nor copies.
 */
import type { Endpoint, IpEndpoint } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import { adoptDescriptor, closeDescriptor, type Descriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { mapMemory } from './memory.js';
import type { Ring } from './ring.js';
import {
  AF_UNIX,
  addressFamily,
  portAt,
  putAddress,
  SOCKADDR_IN6_BYTES,
  sameHostAt,
} from './sockaddr.js';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
  TCP_QUICKACK,
} from './sockets.js';
import { bindSource } from './source_address.js';
import { submitSetOption } from './submissions.js';
import { silentMs } from './tcp_info.js';

/** <linux/sockios.h>: bytes that the peer has not acknowledged yet (tcp(7), SIOCOUTQ). */
const SIOCOUTQ = 0x5411;
/** The same header: bytes that came and were not read yet (SIOCINQ). */
const SIOCINQ = 0x541b;
/** <sys/socket.h> */
const SHUT_WR = 1;

/** <bits/socket.h> */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const NO_ADDRESS = new Uint8Array(16);

/** Words of the scratch page. */
const ONE_AT = 0;
const ZERO_AT = 1;
/** struct linger: on, 0 seconds. */
const LINGER_AT = 2;
const ANSWER_AT = 4;
const ADDRESS_AT = 8;
/** Behind the longest address. */
const PEER_AT = 64;

export class SocketCalls {
  readonly #kernel: Kernel;
  readonly #address: number;
  readonly #words: Int32Array;
  readonly #names: DataView;

  private constructor(kernel: Kernel, address: number, words: Int32Array<ArrayBuffer>) {
    this.#kernel = kernel;
    this.#address = address;
    this.#words = words;
    this.#names = new DataView(words.buffer);
    words[ONE_AT] = 1;
    words[ZERO_AT] = 0;
    words[LINGER_AT] = 1;
    words[LINGER_AT + 1] = 0;
  }

  static create(kernel: Kernel): Result<SocketCalls, KernelError> {
    const memory = mapMemory(kernel, 4096);
    if (!memory.ok) return memory;
    const { address, buffer } = memory.value;
    return ok(new SocketCalls(kernel, address, new Int32Array(buffer)));
  }

  /** A non-blocking stream socket; over IP with TCP_NODELAY and SO_KEEPALIVE. */
  open(family: number): Result<Descriptor, KernelError> {
    const opened = this.openBare(family);
    if (opened.ok && family !== AF_UNIX) this.setOptions(opened.value);
    return opened;
  }

  /** A non-blocking stream socket that has no option yet. */
  openBare(family: number): Result<Descriptor, KernelError> {
    const fd = this.#kernel.libc.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? err(kernelError('socket', fd)) : ok(adoptDescriptor(fd));
  }

  /** The options of `open`. */
  setOptions(fd: number): void {
    const { libc } = this.#kernel;
    libc.setsockoptAt(fd, IPPROTO_TCP, TCP_NODELAY, this.#at(ONE_AT), 4);
    libc.setsockoptAt(fd, SOL_SOCKET, SO_KEEPALIVE, this.#at(ONE_AT), 4);
  }

  /** The same by the ring, before what is submitted next; each completes only on failure. */
  submitOptions(ring: Ring, fd: number, low: number, high: number): void {
    const one = this.#at(ONE_AT);
    submitSetOption(ring, fd, IPPROTO_TCP, TCP_NODELAY, one, 4, low, high);
    submitSetOption(ring, fd, SOL_SOCKET, SO_KEEPALIVE, one, 4, low, high);
  }

  /**
   * Keeps the last ACK of a handshake that is submitted next (TCP_QUICKACK off, tcp(7)): the first
   * bytes or `acknowledge` send it, and after 200 ms the kernel. Completes only on failure.
   */
  submitKeptAck(ring: Ring, fd: number, low: number, high: number): void {
    submitSetOption(ring, fd, IPPROTO_TCP, TCP_QUICKACK, this.#at(ZERO_AT), 4, low, high);
  }

  /**
   * A non-blocking stream socket of a short conversation: without SO_KEEPALIVE, and with
   * TCP_NODELAY unless its last ACK is 'kept' (as `submitOptions` has it) because nothing will be
   * sent.
   */
  openBriefly(family: number, lastAck: 'sent' | 'kept'): Result<Descriptor, KernelError> {
    const opened = this.openBare(family);
    if (opened.ok && family !== AF_UNIX) {
      const isKept = lastAck === 'kept';
      const option = isKept ? TCP_QUICKACK : TCP_NODELAY;
      const value = this.#at(isKept ? ZERO_AT : ONE_AT);
      this.#kernel.libc.setsockoptAt(opened.value, IPPROTO_TCP, option, value, 4);
    }
    return opened;
  }

  /**
   * A non-blocking datagram socket connected to `target`; `source`: as of `bindSource`, or null.
   */
  openConnected(target: Endpoint, source: IpEndpoint | null): Result<Descriptor, KernelError> {
    const { libc } = this.#kernel;
    const family = addressFamily(target);
    const opened = libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0) return err(kernelError('socket', opened));
    const fd = adoptDescriptor(opened);
    const bound = source === null ? 0 : this.bindSource(fd, source);
    const bytes = putAddress(target, this.#words, ADDRESS_AT);
    const answer = bound < 0 ? bound : libc.connectAt(fd, this.#at(ADDRESS_AT), bytes);
    if (answer === 0) return ok(fd);
    closeDescriptor(this.#kernel, fd);
    return err(kernelError(bound < 0 ? 'bind' : 'connect', answer));
  }

  /** `bindSource` of source_address.ts. */
  bindSource(fd: Descriptor, source: IpEndpoint): number {
    return bindSource(this.#kernel, fd, source);
  }

  /** connect(2) of a non-blocking socket; over unix the answer comes at once, whichever it is. */
  connect(fd: number, address: number, bytes: number): number {
    return this.#kernel.libc.connectAt(fd, address, bytes);
  }

  /** Before the call returns, unlike a close by the ring. */
  close(fd: Descriptor): void {
    closeDescriptor(this.#kernel, fd);
  }

  /** Sends the ACK that is owed to the peer, and the next ones without delay; not over unix. */
  acknowledge(fd: number): void {
    this.#kernel.libc.setsockoptAt(fd, IPPROTO_TCP, TCP_QUICKACK, this.#at(ONE_AT), 4);
  }

  /** The same by the ring, behind what was submitted before; completes only on failure. */
  submitAcknowledge(ring: Ring, fd: number, low: number, high: number): void {
    submitSetOption(ring, fd, IPPROTO_TCP, TCP_QUICKACK, this.#at(ONE_AT), 4, low, high);
  }

  /** From now on closing `fd` resets the connection and throws unsent data away (socket(7)). */
  resetOnClose(fd: number): void {
    this.#kernel.libc.setsockoptAt(fd, SOL_SOCKET, SO_LINGER, this.#at(LINGER_AT), 8);
  }

  /** The same by the ring, before what is submitted next; completes only on failure. */
  submitResetOnClose(ring: Ring, fd: number, low: number, high: number): void {
    submitSetOption(ring, fd, SOL_SOCKET, SO_LINGER, this.#at(LINGER_AT), 8, low, high);
  }

  /** Bytes that were sent and not yet acknowledged; 0 for sockets that do not say. */
  unacknowledged(fd: number): number {
    return this.#count(fd, SIOCOUTQ);
  }

  /** Bytes that came and were not read yet; 0 for sockets that do not say. */
  unread(fd: number): number {
    return this.#count(fd, SIOCINQ);
  }

  /** `silentMs` of tcp_info.ts. */
  silentMs(fd: number): number {
    return silentMs(this.#kernel, fd);
  }

  /** The port that `fd`, a socket over IP, is bound to; -1 where the kernel does not say. */
  localPort(fd: number): number {
    const answer = this.#localName(fd);
    return answer < 0 ? -1 : portAt(this.#names, ADDRESS_AT * 4);
  }

  /** True when the host that `fd` is bound to is the one that it is connected to. */
  sameHost(fd: number): boolean {
    if (this.#localName(fd) < 0 || this.#peerName(fd) < 0) return false;
    return sameHostAt(this.#names, ADDRESS_AT * 4, PEER_AT * 4);
  }

  /** Sends `bytes` of a stream at once, as far as there is room; answers how many, or an errno. */
  say(fd: number, bytes: Uint8Array): number {
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return this.#kernel.libc.sendto(fd, bytes, bytes.length, flags, NO_ADDRESS, 0);
  }

  /** Sends FIN. ENOTCONN, of a connection that is over already, is no matter. */
  finish(fd: number): void {
    this.#kernel.libc.shutdown(fd, SHUT_WR);
  }

  /**
   * The next connection of the listening socket `fd`, non-blocking, or a negative errno: EAGAIN
   * when there is none. Writes the client's address to `address`, where there is room for `room`
   * bytes.
   */
  accept(fd: number, address: number, room: number): number {
    this.#words[ANSWER_AT] = room;
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    return this.#kernel.libc.accept4At(fd, address, this.#at(ANSWER_AT), flags);
  }

  #localName(fd: number): number {
    this.#words[ANSWER_AT] = SOCKADDR_IN6_BYTES;
    return this.#kernel.libc.getsocknameAt(fd, this.#at(ADDRESS_AT), this.#at(ANSWER_AT));
  }

  #peerName(fd: number): number {
    this.#words[ANSWER_AT] = SOCKADDR_IN6_BYTES;
    return this.#kernel.libc.getpeernameAt(fd, this.#at(PEER_AT), this.#at(ANSWER_AT));
  }

  #count(fd: number, request: number): number {
    const answer = this.#kernel.libc.ioctlAt(fd, request, this.#at(ANSWER_AT));
    return answer < 0 ? 0 : (this.#words[ANSWER_AT] ?? 0);
  }

  #at(word: number): number {
    return this.#address + word * 4;
  }
}
