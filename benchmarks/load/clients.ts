/**
 * Client sockets that send a message of a fixed size and await one of the same size. What happens
 * after each step is up to the user of this class (closed loop, open loop, short connections …).
 */
import { assert } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { AF_INET, encodeAddress, SOCKADDR_IN_BYTES } from '../../src/kernel/sockaddr.js';
import { SocketCalls } from '../../src/kernel/socket_calls.js';
import { IPPROTO_IP, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM } from '../../src/kernel/sockets.js';
import { submitClose, submitConnect } from '../../src/kernel/submissions.js';
import { MAX_MESSAGE_BYTES, MAX_SESSIONS } from './backend.js';
import { receiveAll, receiveDatagram, sendQuietly } from './entries.js';
import { type Arena, type LoadLoop, must } from './loop.js';

/** Room for the addresses of targets. */
const MAX_TARGETS = 64;
/** <sys/socket.h> */
const SHUT_RDWR = 2;
/** <netinet/in.h> */
const IP_BIND_ADDRESS_NO_PORT = 24;
const ONE = Int32Array.of(1);
const ANY_BYTE = 0x72;

export interface ClientEvents {
  connected(slot: number): void;
  replied(slot: number): void;
  /** `answer`: a negative errno, or fewer bytes than awaited. The socket is closed already. */
  failed(slot: number, step: 'connect' | 'exchange', answer: number): void;
}

export interface ClientSetup {
  readonly protocol: 'tcp' | 'udp';
  /** On 127.0.0.1; connections take turns. */
  readonly ports: readonly number[];
  readonly bytes: number;
  /** Addresses that connections come from, in turns; 127.0.0.1 unless there are several. */
  readonly sources?: number;
  /** What each sends, of `bytes` bytes; any bytes unless given. */
  readonly message?: Uint8Array;
  readonly events: ClientEvents;
}

const NO_CLIENTS: ClientSetup = {
  protocol: 'tcp',
  ports: [],
  bytes: 0,
  events: { connected() {}, replied() {}, failed() {} },
};

export class Clients {
  readonly #loop: LoadLoop;
  readonly #calls: SocketCalls;
  readonly #targets: Arena;
  /** One request for all, and a place for the reply of each. */
  readonly #request: Arena;
  readonly #replies: Arena;
  readonly #fds = new Int32Array(MAX_SESSIONS).fill(-1);
  /** 1: a receive is under way. */
  readonly #waiting = new Uint8Array(MAX_SESSIONS);
  readonly #generations = new Int32Array(MAX_SESSIONS);
  readonly #connectKind: number;
  readonly #sendKind: number;
  readonly #replyKind: number;
  readonly #closeKind: number;
  #setup = NO_CLIENTS;
  #sources: readonly Uint8Array[] = [];
  #opened = 0;

  constructor(loop: LoadLoop) {
    this.#loop = loop;
    this.#calls = must(SocketCalls.create(loop.kernel));
    this.#targets = loop.arena(MAX_TARGETS * SOCKADDR_IN_BYTES);
    this.#request = loop.arena(MAX_MESSAGE_BYTES);
    this.#replies = loop.arena(MAX_SESSIONS * MAX_MESSAGE_BYTES);
    this.#connectKind = loop.kind((slot, generation, result) => {
      if (generation === this.#generations[slot]) this.#connected(slot, result);
    });
    this.#replyKind = loop.kind((slot, generation, result) => {
      if (generation === this.#generations[slot]) this.#replied(slot, result);
    });
    // A send that fails is reported by the receive as well.
    this.#sendKind = loop.kind(() => {});
    this.#closeKind = loop.kind(() => {});
  }

  /** All sockets must have been closed before. */
  prepare(setup: ClientSetup): void {
    assert(setup.ports.length > 0 && setup.ports.length <= MAX_TARGETS, 'there are targets');
    this.#setup = setup;
    const { sources = 1, message } = setup;
    if (message === undefined) this.#request.bytes.fill(ANY_BYTE);
    else this.#request.bytes.set(message);
    this.#sources = Array.from({ length: sources > 1 ? sources : 0 }, (_, index) =>
      encodeAddress(ipEndpoint(4, sourceHost(index), 0)),
    );
    for (const [index, port] of setup.ports.entries()) {
      const address = encodeAddress(ipEndpoint(4, '127.0.0.1', port));
      this.#targets.bytes.set(address, index * SOCKADDR_IN_BYTES);
    }
  }

  connect(slot: number): void {
    const { libc } = this.#loop.kernel;
    const { protocol, ports } = this.#setup;
    const type = (protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
    const fd = libc.socket(AF_INET, type, 0);
    if (fd < 0) {
      this.#setup.events.failed(slot, 'connect', fd);
      return;
    }
    this.#fds[slot] = fd;
    const source = this.#sources[this.#opened % this.#sources.length];
    if (source !== undefined) {
      // The port is chosen at the connect, when it need not be unique for the address alone.
      libc.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ONE, 4);
      libc.bind(fd, source, source.length);
    }
    const target = this.#targets.address + (this.#opened++ % ports.length) * SOCKADDR_IN_BYTES;
    if (protocol === 'udp') {
      this.#connected(slot, libc.connectAt(fd, target, SOCKADDR_IN_BYTES));
      return;
    }
    const generation = this.#generations[slot] ?? 0;
    const tag = this.#connectKind | slot;
    submitConnect(this.#loop.ring, fd, target, SOCKADDR_IN_BYTES, tag, generation);
  }

  /** Sends a request and awaits its reply. */
  exchange(slot: number): void {
    this.send(slot);
    this.receive(slot);
  }

  /** Awaits a reply to nothing. */
  receive(slot: number): void {
    this.#waiting[slot] = 1;
    const fd = this.#fds[slot] ?? -1;
    const { bytes, protocol } = this.#setup;
    const at = this.#replies.address + slot * Math.max(64, bytes);
    const receive = protocol === 'tcp' ? receiveAll : receiveDatagram;
    receive(this.#loop.ring, fd, at, bytes, this.#replyKind | slot, this.#generations[slot] ?? 0);
  }

  /** Sends the request again, when a datagram may have been lost. */
  send(slot: number): void {
    const fd = this.#fds[slot] ?? -1;
    const { address } = this.#request;
    sendQuietly(this.#loop.ring, fd, address, this.#setup.bytes, this.#sendKind | slot, 0);
  }

  /** TCP connections are reset, so that none stays in TIME_WAIT. */
  close(slot: number): void {
    const fd = this.#fds[slot] ?? -1;
    if (fd < 0) return;
    this.#fds[slot] = -1;
    this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) & 0x7fff_ffff;
    if (this.#setup.protocol === 'tcp') this.#calls.resetOnClose(fd);
    // A receive under way holds the socket: shutdown(2) ends it, close(2) alone does not.
    if (this.#waiting[slot] === 1) this.#loop.kernel.libc.shutdown(fd, SHUT_RDWR);
    this.#waiting[slot] = 0;
    submitClose(this.#loop.ring, fd, this.#closeKind, 0);
  }

  closeAll(): void {
    for (const [slot, fd] of this.#fds.entries()) if (fd >= 0) this.close(slot);
  }

  /** Gives the connected socket of `slot` to the caller. */
  release(slot: number): number {
    const fd = this.#fds[slot] ?? -1;
    this.#fds[slot] = -1;
    return fd;
  }

  #connected(slot: number, result: number): void {
    if (result < 0) this.#fail(slot, 'connect', result);
    else this.#setup.events.connected(slot);
  }

  #replied(slot: number, result: number): void {
    this.#waiting[slot] = 0;
    if (result === this.#setup.bytes) this.#setup.events.replied(slot);
    else this.#fail(slot, 'exchange', result);
  }

  #fail(slot: number, step: 'connect' | 'exchange', answer: number): void {
    this.close(slot);
    this.#setup.events.failed(slot, step, answer);
  }
}

/** Not one of 127.0.0.0/16, where proxies listen, nor of 127.1.0.0/16, where backends may. */
function sourceHost(index: number): string {
  return `127.2.${index >> 8}.${index & 255}`;
}
