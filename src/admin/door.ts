/**
 * The listening socket of a server that can stop accepting for a while. Clients wait in the
 * kernel's queue then, in the order in which they came: they cost nothing here, and none is lost.
 */
import {
  type AddressInfo,
  createServer,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net';

/**
 * Clients that wait; the kernel allows net.core.somaxconn at most. As many as a script starts at
 * once, and few enough that the last one still has its turn within seconds.
 */
const BACKLOG = 1_024;

/**
 * Where to listen: a place, or a socket that listens already. A path must have another name before
 * clients come: Node.js removes the one that it has bound when it stops accepting there.
 */
export type ListenPlace = ListenOptions | { readonly fd: number };

export interface AdminListenFailure {
  /** EADDRINUSE and its like. */
  readonly errno: string;
  readonly detail: string;
}

/** Descriptors of listening sockets. */
export interface SocketDescriptors {
  /** null: it has none, or it is not known. */
  of(server: Server): number | null;
  /** Another one for the same socket; null: there is none to be had. */
  duplicate(fd: number): number | null;
  close(fd: number): void;
}

export interface DoorDeps {
  readonly sockets: SocketDescriptors;
  readonly accept: (socket: Socket) => void;
  /** Accepting failed: descriptors or memory are missing, and will be for a moment. */
  readonly failed: () => void;
}

type DoorState =
  | { readonly at: 'open'; readonly server: Server }
  /** `fd` keeps the socket. */
  | { readonly at: 'shut'; readonly fd: number }
  /** It does not listen: not yet, or not any more. */
  | { readonly at: 'closed' };

export class Door {
  readonly #deps: DoorDeps;
  /** Of servers that accept no more: each resolves when its last connection has ended. */
  readonly #endings = new Set<Promise<void>>();
  #state: DoorState = { at: 'closed' };
  #address: AddressInfo | string | null = null;

  constructor(deps: DoorDeps) {
    this.#deps = deps;
  }

  listen(place: ListenPlace): Promise<AdminListenFailure | null> {
    const server = this.#server();
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        resolve({ errno: error.code ?? 'UNKNOWN', detail: error.message });
      });
      // Node.js takes a backlog for a descriptor from here, not from the options.
      server.listen(place, BACKLOG, () => {
        this.#state = { at: 'open', server };
        this.#address = server.address();
        resolve(null);
      });
    });
  }

  /** The one that it really has; null before it listens. */
  get address(): AddressInfo | string | null {
    return this.#address;
  }

  /** Of the listening socket; null: there is none, or it is not known. */
  get fd(): number | null {
    const state = this.#state;
    if (state.at === 'shut') return state.fd;
    return state.at === 'open' ? this.#deps.sockets.of(state.server) : null;
  }

  get isShut(): boolean {
    return this.#state.at === 'shut';
  }

  /** From now on clients wait; where that cannot be (no foreign calls), it stays as it is. */
  shut(): void {
    if (this.#state.at !== 'open') return;
    const { server } = this.#state;
    const { sockets } = this.#deps;
    const own = sockets.of(server);
    const fd = own === null ? null : sockets.duplicate(own);
    if (fd === null) return;
    this.#state = { at: 'shut', fd };
    this.#end(server);
  }

  /** Accepts those that wait, if it was shut. */
  open(): void {
    if (this.#state.at !== 'shut') return;
    const { fd } = this.#state;
    const server = this.#server();
    this.#state = { at: 'open', server };
    server.listen({ fd }, BACKLOG);
  }

  /** Accepts nothing more, for good. */
  leave(): void {
    const state = this.#state;
    this.#state = { at: 'closed' };
    if (state.at === 'shut') this.#deps.sockets.close(state.fd);
    if (state.at === 'open') this.#end(state.server);
  }

  /** Resolves when all that was accepted has ended, too. */
  async ended(): Promise<void> {
    await Promise.all(this.#endings);
  }

  #server(): Server {
    const { accept, failed } = this.#deps;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.on('error', () => {
      if (this.#state.at === 'open' && this.#state.server === server) failed();
    });
    return server;
  }

  #end(server: Server): void {
    const ending = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#endings.add(ending);
    ending.then(() => this.#endings.delete(ending));
  }
}
