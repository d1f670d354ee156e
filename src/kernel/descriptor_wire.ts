/**
 * Wires that are descriptors of this thread, by foreign calls: a connection costs the calls that it
 * needs, and no stream, handle or list of listeners.
 */
import { InvariantError } from '../core/assert.js';
import { contain } from '../core/contain.js';
import type { Endpoint, IpEndpoint } from '../core/endpoint.js';
import { ok, type Result } from '../core/result.js';
import type { Talk, Wire, WireDial } from '../core/wire.js';
import type { Descriptor } from './descriptor.js';
import { ERRNO, type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { type MappedMemory, mapMemory } from './memory.js';
import { type Looker, Readiness } from './readiness.js';
import { addressFamily, encodeAddress, SOCKADDR_MAX_BYTES } from './sockaddr.js';
import { SocketCalls } from './socket_calls.js';
import { POLLIN, POLLOUT } from './submissions.js';

/** Bytes that one read asks for. */
const READ_BYTES = 65_536;

interface Means {
  readonly kernel: Kernel;
  readonly calls: SocketCalls;
  readonly readiness: Readiness;
  /** Where the address of the connect(2) that is being made stands. */
  readonly address: MappedMemory;
  readonly addressBytes: Uint8Array;
  /** What was read last. */
  readonly bytes: Uint8Array;
}

/**
 * Makes wires; fails where foreign calls or io_uring are not to be had. A defect in one ends it
 * with an InvariantError; `defect` gets what fails even then.
 */
export function descriptorDial(
  kernel: Kernel,
  defect: (error: unknown) => void,
): Result<WireDial, KernelError> {
  const address = mapMemory(kernel, SOCKADDR_MAX_BYTES);
  if (!address.ok) return address;
  const calls = SocketCalls.create(kernel);
  if (!calls.ok) return calls;
  const readiness = Readiness.open(kernel, defect);
  if (!readiness.ok) return readiness;
  const means: Means = {
    kernel,
    calls: calls.value,
    readiness: readiness.value,
    address: address.value,
    addressBytes: new Uint8Array(address.value.buffer),
    bytes: new Uint8Array(READ_BYTES),
  };
  /** An endpoint is immutable and made once per backend: its bytes are kept by identity. */
  const encoded = new WeakMap<Endpoint, Uint8Array>();
  return ok((endpoint, talk, changed, source = null) => {
    const known = encoded.get(endpoint);
    const bytes = known ?? encodeAddress(endpoint);
    if (known === undefined) encoded.set(endpoint, bytes);
    return new DescriptorWire(means, endpoint, bytes, { talk, source }, changed);
  });
}

class DescriptorWire implements Wire, Looker {
  error: Error | null = null;
  connected = false;
  ended = false;
  readonly #means: Means;
  readonly #endpoint: Endpoint;
  readonly #address: Uint8Array;
  readonly #changed: () => void;
  /** null: closed. */
  #fd: Descriptor | null;
  /** What it waits for, as a number of Readiness. */
  #wait: number | null = null;
  #unsent: Uint8Array | null = null;

  constructor(
    means: Means,
    endpoint: Endpoint,
    address: Uint8Array,
    { talk, source }: { readonly talk: Talk; readonly source: IpEndpoint | null },
    changed: () => void,
  ) {
    this.#means = means;
    this.#endpoint = endpoint;
    this.#address = address;
    this.#changed = changed;
    const family = addressFamily(endpoint);
    // The last ACK of the handshake travels with FIN: a packet less, and the server wakes up once.
    const opened = means.calls.openBriefly(family, talk === 'nothing' ? 'kept' : 'sent');
    this.#fd = opened.ok ? opened.value : null;
    if (!opened.ok) {
      this.error = errorOf(opened.error);
      return;
    }
    const bound = source === null ? 0 : means.calls.bindSource(opened.value, source);
    if (bound < 0) this.#break('bind', bound);
    else this.#connect(opened.value);
  }

  get sent(): boolean {
    return this.#unsent === null;
  }

  get closed(): boolean {
    return this.#fd === null;
  }

  read(): Uint8Array | null {
    const fd = this.#fd;
    if (fd === null || this.ended) return null;
    const { kernel, bytes } = this.#means;
    const answer = kernel.libc.read(fd, bytes, bytes.length);
    if (answer > 0) return bytes.subarray(0, answer);
    if (answer === 0) this.ended = true;
    else if (answer === -ERRNO.EAGAIN) this.#await(fd, POLLIN);
    else this.#break('read', answer);
    return null;
  }

  write(bytes: Uint8Array | string): void {
    const fd = this.#fd;
    if (fd !== null) this.#send(fd, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }

  /** close(2) sends FIN, unless there is something unread, which it would answer by a reset. */
  end(goodbye: Uint8Array | string): void {
    const fd = this.#fd;
    if (fd === null) return;
    const { kernel, bytes } = this.#means;
    if (goodbye.length > 0) this.write(goodbye);
    kernel.libc.read(fd, bytes, bytes.length);
    this.destroy();
  }

  isToItself(): boolean {
    const endpoint = this.#endpoint;
    const fd = this.#fd;
    if (endpoint.kind === 'unix' || fd === null) return false;
    const { calls } = this.#means;
    return calls.localPort(fd) === endpoint.port && calls.sameHost(fd);
  }

  reset(): void {
    if (this.#fd !== null) this.#means.calls.resetOnClose(this.#fd);
    this.destroy();
  }

  destroy(): void {
    const fd = this.#fd;
    if (fd === null) return;
    this.#fd = null;
    // An operation in flight would keep the connection open.
    if (this.#wait !== null) this.#means.readiness.forget(this.#wait);
    this.#wait = null;
    this.#means.calls.close(fd);
  }

  /** What was waited for is there, or a connect(2) has had time for its first answer. */
  look(): void {
    this.#wait = null;
    const fd = this.#fd;
    if (fd === null) return;
    contain(
      () => this.#goOn(fd),
      (error) => {
        this.error ??= new InvariantError(String(error), { cause: error });
        this.destroy();
      },
    );
    if (this.#wait === null) this.#changed();
  }

  #goOn(fd: Descriptor): void {
    if (!this.connected) this.#connect(fd);
    else if (this.#unsent !== null) this.#send(fd, this.#unsent);
  }

  /**
   * Begins a connection, or asks how it went: connect(2) answers that for a socket that is
   * connecting or connected.
   */
  #connect(fd: Descriptor): void {
    const { calls, address, addressBytes, readiness } = this.#means;
    // So few bytes that `set` takes ten times as long.
    for (let at = 0; at < this.#address.length; at++) addressBytes[at] = this.#address[at] ?? 0;
    const answer = calls.connect(fd, address.address, this.#address.length);
    if (answer === 0) this.connected = true;
    // A server on this machine has answered by the end of the turn.
    else if (answer === -ERRNO.EINPROGRESS) readiness.soon(this);
    else if (answer === -ERRNO.EALREADY) this.#await(fd, POLLOUT);
    else this.#break('connect', answer);
  }

  #send(fd: Descriptor, bytes: Uint8Array): void {
    const answer = this.#means.kernel.libc.write(fd, bytes, bytes.length);
    const sent = Math.max(0, answer);
    this.#unsent = sent === bytes.length ? null : bytes.subarray(sent);
    if (answer < 0 && answer !== -ERRNO.EAGAIN) this.#break('write', answer);
    else if (this.#unsent !== null) this.#await(fd, POLLOUT);
  }

  #await(fd: Descriptor, events: number): void {
    const { readiness } = this.#means;
    if (this.#wait !== null) readiness.forget(this.#wait);
    this.#wait = readiness.watch(fd, events, this);
  }

  #break(call: string, answer: number): void {
    this.error ??= errorOf(kernelError(call, answer));
  }
}

/** As Node.js would have made it of the same errno. */
function errorOf({ call, errno, sentence }: KernelError): Error {
  return Object.assign(new Error(sentence), { code: errno, syscall: call });
}
