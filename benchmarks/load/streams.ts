/**
 * Connections over which as much flows as the other side takes, for both ends of a bulk transfer.
 * What comes is thrown away inside the kernel, so that the load costs its core as little as it can.
 */
import { SocketCalls } from '../../src/kernel/socket_calls.js';
import { MSG_NOSIGNAL, MSG_WAITALL, submitClose } from '../../src/kernel/submissions.js';
import { OP } from '../../src/kernel/uring_abi.js';
import { discard, write } from './entries.js';
import { type Arena, type LoadLoop, must } from './loop.js';

const SEND_BYTES = 256 * 1024;
const DISCARD_BYTES = 1024 * 1024;
/** <sys/socket.h> */
const SHUT_RDWR = 2;

interface Stream {
  readonly fd: number;
  inFlight: number;
  state: 'open' | 'ending';
}

export class Streams {
  /** Bytes that have come in since the start. */
  received = 0;
  readonly #loop: LoadLoop;
  readonly #calls: SocketCalls;
  readonly #streams: (Stream | undefined)[] = [];
  readonly #block: Arena;
  readonly #sendKind: number;
  readonly #receiveKind: number;
  readonly #closeKind: number;

  constructor(loop: LoadLoop) {
    this.#loop = loop;
    this.#calls = must(SocketCalls.create(loop.kernel));
    this.#block = loop.arena(DISCARD_BYTES);
    this.#block.bytes.fill(0x5a);
    this.#sendKind = loop.kind((slot, _, result) => {
      if (this.#completed(slot, result)) this.#send(slot);
    });
    this.#receiveKind = loop.kind((slot, _, result) => {
      if (result > 0) this.received += result;
      if (this.#completed(slot, result)) this.#receive(slot);
    });
    this.#closeKind = loop.kind(() => {});
  }

  /** Connections that are not closed yet. */
  get open(): number {
    return this.#streams.filter((stream) => stream !== undefined).length;
  }

  /** Takes over a connected socket. */
  adopt(fd: number, flow: 'sends' | 'listens'): void {
    const free = this.#streams.indexOf(undefined);
    const slot = free < 0 ? this.#streams.length : free;
    this.#streams[slot] = { fd, inFlight: 0, state: 'open' };
    this.#receive(slot);
    if (flow === 'sends') this.#send(slot);
  }

  /** Resets every connection. */
  end(): void {
    for (const stream of this.#streams) if (stream !== undefined) this.#end(stream);
  }

  #send(slot: number): void {
    const stream = this.#streams[slot];
    if (stream === undefined) return;
    stream.inFlight++;
    const { ring } = this.#loop;
    const flags = MSG_WAITALL | MSG_NOSIGNAL;
    write(
      ring,
      OP.SEND,
      stream.fd,
      this.#block.address,
      SEND_BYTES,
      flags,
      this.#sendKind | slot,
      0,
    );
  }

  #receive(slot: number): void {
    const stream = this.#streams[slot];
    if (stream === undefined) return;
    stream.inFlight++;
    const { address } = this.#block;
    discard(this.#loop.ring, stream.fd, address, DISCARD_BYTES, this.#receiveKind | slot, 0);
  }

  /** True when the stream goes on. */
  #completed(slot: number, result: number): boolean {
    const stream = this.#streams[slot];
    if (stream === undefined) return false;
    stream.inFlight--;
    if (result <= 0) this.#end(stream);
    if (stream.state === 'open') return true;
    if (stream.inFlight === 0) {
      this.#streams[slot] = undefined;
      submitClose(this.#loop.ring, stream.fd, this.#closeKind, 0);
    }
    return false;
  }

  /** Ends what is in flight; the last completion closes the socket. */
  #end(stream: Stream): void {
    if (stream.state === 'ending') return;
    stream.state = 'ending';
    this.#calls.resetOnClose(stream.fd);
    this.#loop.kernel.libc.shutdown(stream.fd, SHUT_RDWR);
  }
}
