/**
 * Echoes datagrams to their senders. A chain of linked receives waits on the socket, of which only
 * the first is armed: receives side by side would all be woken by each datagram.
 */
import { ipEndpoint } from '../../src/core/endpoint.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { receiveMessage, replyMessage } from './entries.js';
import { type Arena, type LoadLoop, must } from './loop.js';

const CHAIN = 64;
const PAYLOAD_BYTES = 2048;
/** struct msghdr (56 bytes), struct iovec (16) and struct sockaddr_in (16), each 64-aligned. */
const MESSAGE_STRIDE = 128;
const IOVEC_AT = 64;
const NAME_AT = 96;
const NAME_BYTES = 16;

export class UdpEcho {
  readonly port: number;
  readonly #loop: LoadLoop;
  readonly #fd: number;
  readonly #messages: Arena;
  readonly #receiveKind: number;
  readonly #replyKind: number;
  #left = 0;

  constructor(loop: LoadLoop) {
    this.#loop = loop;
    this.#messages = loop.arena(CHAIN * MESSAGE_STRIDE);
    const payload = loop.arena(CHAIN * PAYLOAD_BYTES);
    const socket = must(
      openListeningSocket(loop.kernel, {
        local: ipEndpoint(4, '127.0.0.1', 0),
        protocol: 'udp',
        reusePort: 'exclusive',
        backlog: 0,
      }),
    );
    this.#fd = socket.fd;
    this.port = socket.local.kind === 'ip' ? socket.local.port : 0;
    for (let index = 0; index < CHAIN; index++) {
      this.#layOut(index, payload.address + index * PAYLOAD_BYTES);
    }
    this.#receiveKind = loop.kind((index, _, result) => this.#received(index, result));
    this.#replyKind = loop.kind(() => {});
    this.#receive();
  }

  /** struct msghdr: name, its length, vector, its length; recvmsg(2). */
  #layOut(index: number, payload: number): void {
    const at = index * MESSAGE_STRIDE;
    const base = this.#messages.address + at;
    this.#pointer(at, base + NAME_AT);
    this.#messages.words[(at + 8) >> 2] = NAME_BYTES;
    this.#pointer(at + 16, base + IOVEC_AT);
    this.#messages.words[(at + 24) >> 2] = 1;
    this.#pointer(at + IOVEC_AT, payload);
    this.#messages.words[(at + IOVEC_AT + 8) >> 2] = PAYLOAD_BYTES;
  }

  #pointer(at: number, address: number): void {
    this.#messages.words[at >> 2] = address | 0;
    this.#messages.words[(at >> 2) + 1] = Math.floor(address / 2 ** 32);
  }

  #receive(): void {
    this.#left = CHAIN;
    for (let index = 0; index < CHAIN; index++) {
      const message = this.#messages.address + index * MESSAGE_STRIDE;
      const { words } = this.#messages;
      words[(index * MESSAGE_STRIDE + IOVEC_AT + 8) >> 2] = PAYLOAD_BYTES;
      const link = index + 1 < CHAIN ? 'linked' : 'last';
      receiveMessage(this.#loop.ring, this.#fd, message, link, this.#receiveKind | index);
    }
  }

  #received(index: number, result: number): void {
    if (result >= 0) {
      const at = index * MESSAGE_STRIDE;
      this.#messages.words[(at + IOVEC_AT + 8) >> 2] = result;
      const message = this.#messages.address + at;
      replyMessage(this.#loop.ring, this.#fd, message, this.#replyKind | index);
    }
    if (--this.#left > 0) return;
    // The replies are on their way before their memory is used again: entries are taken in order.
    this.#loop.ring.submit();
    this.#receive();
  }
}
