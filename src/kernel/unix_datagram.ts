/** One datagram to a UNIX socket, which Node.js cannot send: for sd_notify(3). */
import { err, ok, type Result } from '../core/result.js';
import { adoptDescriptor, closeDescriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { AF_UNIX, encodeAddress } from './sockaddr.js';
import { SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './sockets.js';
import { MSG_NOSIGNAL } from './submissions.js';

/**
 * Sends `bytes` to the socket at `path`; an `@` in front means an abstract name (unix(7)). Never
 * blocks: a receiver whose queue is full gets EAGAIN instead of the datagram.
 */
export function sendUnixDatagram(
  kernel: Kernel,
  path: string,
  bytes: Uint8Array,
): Result<void, KernelError> {
  const opened = kernel.libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (opened < 0) return err(kernelError('socket', opened));
  const address = notifyAddress(path);
  const sent = kernel.libc.sendto(
    opened,
    bytes,
    bytes.length,
    MSG_NOSIGNAL,
    address,
    address.length,
  );
  closeDescriptor(kernel, adoptDescriptor(opened));
  return sent < 0 ? err(kernelError('sendto', sent)) : ok(undefined);
}

/** An abstract name begins with a zero byte, and its length is that of the address: no end mark. */
function notifyAddress(path: string): Uint8Array {
  const address = encodeAddress({ kind: 'unix', path });
  if (!path.startsWith('@')) return address;
  address[2] = 0;
  return address.subarray(0, address.length - 1);
}
