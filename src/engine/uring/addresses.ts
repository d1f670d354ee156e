/** The addresses of both ends: a client's is taken at accept and becomes an endpoint on demand. */
import { type Endpoint, isWildcard, type Peer } from '../../core/endpoint.js';
import { adoptDescriptor } from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { MappedMemory } from '../../kernel/memory.js';
import { decodePeer } from '../../kernel/sockaddr.js';
import { localAddress } from '../../kernel/sockets.js';

/** sockaddr_in6 is 28 bytes, the longest address of a client that has one. */
export const ROW_BYTES = 32;
const ROW_WORDS = ROW_BYTES / Int32Array.BYTES_PER_ELEMENT;
export const addressMemoryBytes = (pairs: number): number => pairs * ROW_BYTES;

/** Clients of unix sockets have no address. */
const UNNAMED: Peer = { kind: 'unix', path: '' };

export class EncodedAddresses {
  readonly #kernel: Kernel;
  readonly #memory: MappedMemory;
  readonly #words: Int32Array;
  readonly #clients: (Peer | undefined)[] = [];
  readonly #locals: (Endpoint | undefined)[] = [];
  /** What the listening sockets are bound to. */
  readonly #bound: Endpoint[] = [];

  constructor(kernel: Kernel, memory: MappedMemory) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer);
  }

  /**
   * Where accept(2) may write the address of the client that gets `pair`, and for how many bytes.
   */
  rowOf(pair: number): number {
    return this.#memory.address + pair * ROW_BYTES;
  }

  /** `pair`'s client was accepted, into its row, on a socket that is bound to `local`. */
  accepted(pair: number, local: Endpoint): void {
    this.#clients[pair] = local.kind === 'unix' ? UNNAMED : undefined;
    this.#locals[pair] = isWildcard(local) ? undefined : local;
    this.#bound[pair] = local;
  }

  client(pair: number): Peer {
    const known = this.#clients[pair];
    if (known !== undefined) return known;
    const client = decodePeer(this.#words, pair * ROW_WORDS);
    this.#clients[pair] = client;
    return client;
  }

  /**
   * `fd`: the client's socket, which knows what a wildcard stood for; should the kernel refuse to
   * say, the wildcard is the answer.
   */
  local(pair: number, fd: number): Endpoint {
    const known = this.#locals[pair];
    if (known !== undefined) return known;
    const asked = fd < 0 ? null : localAddress(this.#kernel, adoptDescriptor(fd));
    const local = asked?.ok ? asked.value : (this.#bound[pair] ?? UNNAMED);
    this.#locals[pair] = local;
    return local;
  }
}
