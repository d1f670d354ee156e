/**
 * A datagram socket from which replies leave, and which is not read here: what comes is left to the
 * process that has another descriptor of it. node:dgram cannot have a socket without reading it.
 */
import type { IpEndpoint } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import { closeDescriptor, type Descriptor, duplicate } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { encodeAddress } from './sockaddr.js';
import { MSG_DONTWAIT } from './submissions.js';

export class ReplySocket {
  readonly #kernel: Kernel;
  readonly #fd: Descriptor;

  private constructor(kernel: Kernel, fd: Descriptor) {
    this.#kernel = kernel;
    this.#fd = fd;
  }

  /** By a descriptor of its own for the socket `fd`. */
  static beside(kernel: Kernel, fd: Descriptor): Result<ReplySocket, KernelError> {
    const copy = duplicate(kernel, fd);
    return copy.ok ? ok(new ReplySocket(kernel, copy.value)) : copy;
  }

  send(payload: Uint8Array, to: IpEndpoint): Result<null, KernelError> {
    const address = encodeAddress(to);
    const { libc } = this.#kernel;
    const answer = libc.sendto(
      this.#fd,
      payload,
      payload.length,
      MSG_DONTWAIT,
      address,
      address.length,
    );
    return answer < 0 ? err(kernelError('sendto', answer)) : ok(null);
  }

  close(): void {
    closeDescriptor(this.#kernel, this.#fd);
  }
}

/**
 * Nothing more comes to the datagram socket `fd`, of which there is no other descriptor: connected
 * to itself it fits no datagram, and the kernel looks for another socket that does. sendto(2) still
 * sends to any address. Where connecting fails (an address without its zone) all stays as it was.
 */
export function receiveNoMore(kernel: Kernel, fd: Descriptor, local: IpEndpoint): void {
  const itself = encodeAddress(local);
  kernel.libc.connect(fd, itself, itself.length);
}
