/**
 * The backends: TCP listeners whose connections echo messages of a fixed size or stream, and a UDP
 * echo. They live on the load generator's ring: a process of their own would add its switches.
 */
import { ipEndpoint } from '../../src/core/endpoint.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { submitClose } from '../../src/kernel/submissions.js';
import { CQE_F_MORE } from '../../src/kernel/uring_abi.js';
import { acceptAll, receiveAll, sendQuietly } from './entries.js';
import { type Arena, type LoadLoop, must } from './loop.js';
import { Streams } from './streams.js';
import { UdpEcho } from './udp_echo.js';

/** Sessions at a time; also the file limit's share of this side. */
export const MAX_SESSIONS = 10_000;
export const MAX_MESSAGE_BYTES = 16_384;
const BACKLOG = 4096;
/** <bits/socket_type.h> */
const SOCK_CLOEXEC = 0o2000000;

/** What connections do that are accepted from now on. */
export type Behaviour =
  | { readonly kind: 'echo'; readonly bytes: number }
  | { readonly kind: 'stream'; readonly flow: 'sends' | 'listens' };

export class Backend {
  readonly tcpPorts: readonly number[];
  readonly udpPort: number;
  /** At every address of this machine, and so at each of 127.0.0.0/8; 0: nowhere. */
  readonly anywherePort: number;
  readonly streams: Streams;
  behaviour: Behaviour = { kind: 'echo', bytes: 64 };

  readonly #loop: LoadLoop;
  readonly #listeners: readonly number[];
  readonly #memory: Arena;
  readonly #fds = new Int32Array(MAX_SESSIONS).fill(-1);
  readonly #bytes = new Int32Array(MAX_SESSIONS);
  readonly #free = Int32Array.from({ length: MAX_SESSIONS }, (_, i) => MAX_SESSIONS - 1 - i);
  #freeCount = MAX_SESSIONS;
  readonly #acceptKind: number;
  readonly #requestKind: number;
  readonly #replyKind: number;
  readonly #closeKind: number;

  /** `count` listeners on 127.0.0.1, and one at `anywherePort` of every address unless it is 0. */
  constructor(loop: LoadLoop, count: number, anywherePort = 0) {
    this.#loop = loop;
    this.streams = new Streams(loop);
    this.#memory = loop.arena(MAX_SESSIONS * MAX_MESSAGE_BYTES);
    this.#acceptKind = loop.kind((index, _, result, flags) => {
      if ((flags & CQE_F_MORE) === 0) this.#accept(index);
      this.#accepted(result);
    });
    this.#requestKind = loop.kind((slot, _, result) => this.#request(slot, result));
    // Quiet sends complete only when the connection is gone, and its receive reports that, too.
    this.#replyKind = loop.kind(() => {});
    this.#closeKind = loop.kind(() => {});
    const opened = Array.from({ length: count }, () => must(listen(loop, '127.0.0.1', 0)));
    this.tcpPorts = opened.map(({ local }) => (local.kind === 'ip' ? local.port : 0));
    this.anywherePort = anywherePort;
    if (anywherePort !== 0) opened.push(must(listen(loop, '0.0.0.0', anywherePort)));
    this.#listeners = opened.map(({ fd }) => fd);
    for (const index of this.#listeners.keys()) this.#accept(index);
    this.udpPort = new UdpEcho(loop).port;
  }

  /** Connections that are not closed yet. */
  get open(): number {
    return MAX_SESSIONS - this.#freeCount + this.streams.open;
  }

  #accept(index: number): void {
    const fd = this.#listeners[index] ?? -1;
    acceptAll(this.#loop.ring, fd, SOCK_CLOEXEC, this.#acceptKind | index);
  }

  #accepted(fd: number): void {
    if (fd < 0) return;
    const { behaviour } = this;
    if (behaviour.kind === 'stream') {
      this.streams.adopt(fd, behaviour.flow);
      return;
    }
    if (this.#freeCount === 0) {
      submitClose(this.#loop.ring, fd, this.#closeKind, 0);
      return;
    }
    const slot = this.#free[--this.#freeCount] ?? 0;
    this.#fds[slot] = fd;
    this.#bytes[slot] = behaviour.bytes;
    this.#receive(slot);
  }

  #receive(slot: number): void {
    const fd = this.#fds[slot] ?? -1;
    const bytes = this.#bytes[slot] ?? 0;
    receiveAll(this.#loop.ring, fd, this.#addressOf(slot), bytes, this.#requestKind | slot, 0);
  }

  #request(slot: number, result: number): void {
    const fd = this.#fds[slot] ?? -1;
    const bytes = this.#bytes[slot] ?? 0;
    if (result < bytes) {
      this.#fds[slot] = -1;
      this.#free[this.#freeCount++] = slot;
      submitClose(this.#loop.ring, fd, this.#closeKind, 0);
      return;
    }
    sendQuietly(this.#loop.ring, fd, this.#addressOf(slot), bytes, this.#replyKind | slot, 0);
    this.#receive(slot);
  }

  /** Sessions of small messages stand close together, so that idle ones take few pages. */
  #addressOf(slot: number): number {
    return this.#memory.address + slot * Math.max(64, this.#bytes[slot] ?? 0);
  }
}

function listen(
  loop: LoadLoop,
  host: string,
  port: number,
): ReturnType<typeof openListeningSocket> {
  return openListeningSocket(loop.kernel, {
    local: ipEndpoint(4, host, port),
    protocol: 'tcp',
    reusePort: 'exclusive',
    backlog: BACKLOG,
  });
}
