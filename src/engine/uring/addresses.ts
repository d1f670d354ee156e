/** Who talks to whom: a client's address is taken at accept and becomes text when somebody asks. */
import { present } from '../../core/assert.js';
import { type Endpoint, isWildcard } from '../../core/endpoint.js';
import { adoptDescriptor } from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { MappedMemory } from '../../kernel/memory.js';
import { decodeAddress } from '../../kernel/sockaddr.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { localAddress } from '../../kernel/sockets.js';

/** sockaddr_in6 is 28 bytes, the longest address of a client that has one. */
const ROW_BYTES = 32;
export const addressMemoryBytes = (pairs: number): number => pairs * ROW_BYTES;

/** Clients of unix sockets have no address. */
const UNNAMED: Endpoint = { kind: 'unix', path: '' };

export class Addresses {
  readonly #kernel: Kernel;
  readonly #calls: SocketCalls;
  readonly #memory: MappedMemory;
  readonly #bytes: Uint8Array;
  readonly #length: Uint8Array;
  readonly #clients: (Endpoint | undefined)[] = [];
  readonly #locals: (Endpoint | undefined)[] = [];

  constructor(kernel: Kernel, calls: SocketCalls, memory: MappedMemory) {
    this.#kernel = kernel;
    this.#calls = calls;
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#length = new Uint8Array(memory.buffer.byteLength / ROW_BYTES);
  }

  /**
   * Takes down who `fd`, accepted on a socket bound to `local`, belongs to. Answers a negative
   * errno when the client has reset the connection already.
   */
  record(pair: number, fd: number, local: Endpoint): number {
    this.#clients[pair] = undefined;
    this.#locals[pair] = isWildcard(local) ? undefined : local;
    if (local.kind === 'unix') {
      this.#clients[pair] = UNNAMED;
      return 0;
    }
    const length = this.#calls.peerAddress(fd, this.#memory.address + pair * ROW_BYTES, ROW_BYTES);
    if (length > 0) this.#length[pair] = length;
    return length;
  }

  client(pair: number): Endpoint {
    const known = this.#clients[pair];
    if (known !== undefined) return known;
    const row = this.#bytes.subarray(pair * ROW_BYTES, (pair + 1) * ROW_BYTES);
    const client = decodeAddress(row, this.#length[pair] ?? 0);
    this.#clients[pair] = client;
    return client;
  }

  /** `fd`: the client's socket, which knows what a wildcard stood for. */
  local(pair: number, fd: number): Endpoint {
    const known = this.#locals[pair];
    if (known !== undefined) return known;
    const asked = localAddress(this.#kernel, adoptDescriptor(fd));
    const local = present(asked.ok ? asked.value : null, 'an open socket has an address');
    this.#locals[pair] = local;
    return local;
  }
}
