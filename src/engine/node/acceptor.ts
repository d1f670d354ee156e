/**
 * One listening socket. With a descriptor (which stays control's) it pauses by closing a duplicate:
 * clients go on to wait in the kernel's backlog. Without one (kind 'bind': no foreign calls here)
 * closing would refuse them, so that while paused it holds accepted connections unread, at most as
 * many as the backlog, and resets the rest: a degraded mode.
 */
import { createServer, type ListenOptions, type Server, Socket } from 'node:net';
import type { Timer, Timers } from '../../core/clock.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { ListenSource } from '../../core/plan.js';
import { err, ok, type Result } from '../../core/result.js';
import { adoptDescriptor, duplicate } from '../../kernel/descriptor.js';
import { ERRNO } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../kernel/sockets.js';
import type { ListenOutcome } from '../../session/tcp_port.js';
import { listenSentence } from '../failure.js';
import { boundAddress } from './address.js';
import { errorCode } from './failure.js';
import { resetLink, SOCKET_OPTIONS, STREAM_OPTIONS } from './socket.js';
import { closeOwn, type SocketFile, socketFileAt } from './socket_file.js';

export interface AcceptorDeps {
  readonly timers: Timers;
  /** null: no foreign calls here, so that a source of kind 'descriptor' cannot be opened. */
  readonly kernel: Kernel | null;
  connection(acceptor: Acceptor, socket: Socket): void;
  failed(errno: string): void;
}

/**
 * Why an acceptor does not accept: the session said so, all pairs are taken, or accepting failed.
 */
export type AcceptPause = 'session' | 'pairs' | 'failure';

/** After accepting failed: what was missing (descriptors, memory) is rarely back sooner. */
const RETRY_MS = 100;
/**
 * Of the clients that waited, this many are taken at a stretch, before others have their turn.
 * (libuv, too, accepts only a few connections at a stretch.)
 */
const AT_ONCE = 4;

export class Acceptor {
  readonly #deps: AcceptorDeps;
  readonly #source: ListenSource;
  readonly #backlog: number;
  readonly #holds = new Set<AcceptPause>();
  /** Accepted while held, unread. */
  readonly #waiting: Socket[] = [];
  #local: Endpoint;
  #server: Server | null = null;
  /** What `#server` has bound by its path. */
  #file: SocketFile | null = null;
  #retry: Timer | null = null;
  /** More of the waiting clients are taken then. */
  #furtherSoon: NodeJS.Immediate | undefined;

  constructor(deps: AcceptorDeps, source: ListenSource, backlog: number) {
    this.#deps = deps;
    this.#source = source;
    this.#backlog = backlog;
    this.#local = source.local;
  }

  /** Where it listens, with the port that it got. */
  get local(): Endpoint {
    return this.#local;
  }

  open(): Promise<ListenOutcome> {
    return new Promise((resolve) => {
      this.#listen((errno) => {
        if (errno === null) resolve({ ok: true, local: this.#local });
        else resolve({ ok: false, errno, sentence: listenSentence(this.#source.local, errno) });
      });
    });
  }

  hold(reason: AcceptPause): void {
    this.#holds.add(reason);
    if (this.#source.kind === 'descriptor') this.#shut();
  }

  release(reason: AcceptPause): void {
    if (!this.#holds.delete(reason)) return;
    if (this.#server === null && this.#holds.size === 0) {
      this.#listen((errno) => errno !== null && this.fail(errno));
    }
    this.#takeSome();
  }

  /** Accepting failed, or is about to: reports it and tries again a little later. */
  fail(errno: string): void {
    if (this.#holds.has('failure')) return;
    this.#deps.failed(errno);
    this.hold('failure');
    this.#retry = this.#deps.timers.after(RETRY_MS, () => this.release('failure'));
  }

  /**
   * Accepts the clients that wait in the kernel's backlog, unless the listener is held: it closes
   * next.
   */
  takeRest(): void {
    const { kernel, connection } = this.#deps;
    if (kernel === null || this.#source.kind !== 'descriptor' || this.#server === null) return;
    const { fd: listener } = this.#source;
    while (this.#holds.size === 0) {
      const fd = kernel.libc.accept4At(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
      // accept(2), "Error handling": one that was given up is no reason to leave the others.
      if (fd === -ERRNO.ECONNABORTED || fd === -ERRNO.EINTR) continue;
      if (fd < 0) return;
      // Node.js closes it with the thread, even one that is ended from outside.
      kernel.closing?.(adoptDescriptor(fd));
      connection(this, new Socket({ ...STREAM_OPTIONS, fd, readable: true, writable: true }));
    }
  }

  close(): void {
    this.#retry?.cancel();
    clearImmediate(this.#furtherSoon);
    this.#shut();
    for (const socket of this.#waiting.splice(0)) resetLink({ socket, kind: this.#local.kind });
  }

  #listen(done: (errno: string | null) => void): void {
    const options = this.#listenOptions();
    if (!options.ok) {
      done(options.error);
      return;
    }
    // Sockets inherit what control has set on its descriptor.
    const server = createServer(
      this.#source.kind === 'bind' ? { ...SOCKET_OPTIONS, pauseOnConnect: true } : STREAM_OPTIONS,
    );
    this.#server = server;
    const failedToListen = (error: Error): void => {
      if (this.#server === server) this.#server = null;
      done(errorCode(error));
    };
    server.once('error', failedToListen);
    // Held or closed before it listened: the next release listens again.
    server.once('close', () => done(null));
    server.on('connection', (socket) => this.#connected(socket));
    // Node.js takes a backlog for a descriptor from here, not from the options.
    server.listen(options.value, this.#backlog, () => {
      server.off('error', failedToListen);
      server.on('error', (error) => this.#acceptFailed(server, error));
      this.#local = boundAddress(server, this.#local);
      const local = this.#local;
      const isOwn = this.#source.kind === 'bind' && local.kind === 'unix';
      this.#file = isOwn ? socketFileAt(local.path) : null;
      done(null);
    });
  }

  #listenOptions(): Result<ListenOptions & { fd?: number; reusePort?: boolean }, string> {
    const source = this.#source;
    const { kernel } = this.#deps;
    if (source.kind === 'descriptor') {
      if (kernel === null) return err('ENOSYS');
      const copy = duplicate(kernel, adoptDescriptor(source.fd));
      if (!copy.ok) return err(copy.error.errno);
      // Node.js closes it with the thread, even one that is ended from outside.
      kernel.closing?.(copy.value);
      return ok({ fd: copy.value });
    }
    const local = this.#local;
    if (local.kind === 'unix') return ok({ path: local.path });
    const { host, port } = local;
    // Control starts a second worker only where this version of Node.js knows reusePort.
    const reusePort = source.reusePort === 'shared';
    return ok({ host, port, exclusive: true, reusePort, ipv6Only: true });
  }

  /** Takes some of the waiting clients, in order, and goes on soon. */
  #takeSome(): void {
    for (let count = 0; count < AT_ONCE && this.#holds.size === 0; count++) {
      const socket = this.#waiting.shift();
      if (socket === undefined) return;
      if (!socket.destroyed) this.#deps.connection(this, socket);
    }
    if (this.#holds.size > 0 || this.#waiting.length === 0) return;
    clearImmediate(this.#furtherSoon);
    this.#furtherSoon = setImmediate(() => this.#takeSome());
  }

  #connected(socket: Socket): void {
    const isFree = this.#holds.size === 0;
    if (isFree && this.#waiting.length === 0) this.#deps.connection(this, socket);
    // A client that comes behind those that are being taken is not one too many.
    else if (isFree || this.#waiting.length < this.#backlog) this.#waiting.push(socket);
    else resetLink({ socket, kind: this.#local.kind });
  }

  /**
   * libuv calls back again and again, without leaving its loop, while accept4(2) fails with
   * anything but EAGAIN: the listening socket must be closed here.
   */
  #acceptFailed(server: Server, error: Error): void {
    if (this.#server !== server) return;
    this.#shut();
    this.fail(errorCode(error));
  }

  #shut(): void {
    const server = this.#server;
    this.#server = null;
    if (server !== null) closeOwn(this.#file, () => server.close());
    this.#file = null;
  }
}
