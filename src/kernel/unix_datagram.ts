/**
 * One datagram to a UNIX socket, which Node.js cannot send, with descriptors if need be: for
 * sd_notify(3).
 */
import { assert } from '../core/assert.js';
import { err, ok, type Result } from '../core/result.js';
import { adoptDescriptor, closeDescriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { mapMemory, PAGE_BYTES, releaseMemory } from './memory.js';
import {
  IOVEC_WORDS,
  MAX_RIGHTS,
  MESSAGE_WORDS,
  RIGHTS_WORDS,
  writeMessage,
  writeRights,
  writeVector,
} from './messages.js';
import { AF_UNIX, encodeAddress } from './sockaddr.js';
import { SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET } from './sockets.js';
import { MSG_NOSIGNAL } from './submissions.js';

/**
 * Sends `bytes` to the socket at `path`; an `@` in front means an abstract name (unix(7)). Never
 * blocks: a receiver whose queue is full gets EAGAIN instead of the datagram. With `descriptors`,
 * at most MAX_RIGHTS, the receiver gets its own for the same open sockets; then it waits for room,
 * half a second at most, because nothing would be sent a second time.
 */
export function sendUnixDatagram(
  kernel: Kernel,
  path: string,
  bytes: Uint8Array,
  descriptors: readonly number[] = [],
): Result<void, KernelError> {
  const wait = descriptors.length > 0 ? 0 : SOCK_NONBLOCK;
  const opened = kernel.libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | wait, 0);
  if (opened < 0) return err(kernelError('socket', opened));
  const address = notifyAddress(path);
  if (descriptors.length > 0) {
    const sent = sendRights(kernel, opened, { address, bytes, descriptors });
    closeDescriptor(kernel, adoptDescriptor(opened));
    return sent;
  }
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

/** <asm-generic/socket.h>; struct timeval: seconds, microseconds. */
const SO_SNDTIMEO = 21;
const SEND_LIMIT = new Uint8Array(new BigInt64Array([0n, 500_000n]).buffer);

interface Rights {
  readonly address: Uint8Array;
  readonly bytes: Uint8Array;
  readonly descriptors: readonly number[];
}

/** Where the parts of a message stand in a page, in words; the bytes are last. */
const VECTOR_AT = MESSAGE_WORDS + (MESSAGE_WORDS % 2);
const ADDRESS_AT = VECTOR_AT + IOVEC_WORDS;
const CONTROL_AT = ADDRESS_AT + 32;
const BYTES_AT = CONTROL_AT + RIGHTS_WORDS;

/** sendmsg(2): the header points to all that is sent, so it stands in memory that does not move. */
function sendRights(kernel: Kernel, fd: number, rights: Rights): Result<void, KernelError> {
  const { address: to, bytes, descriptors } = rights;
  assert(descriptors.length <= MAX_RIGHTS, 'a message carries at most 253 descriptors');
  const mapped = mapMemory(kernel, PAGE_BYTES);
  if (!mapped.ok) return mapped;
  const { address, buffer } = mapped.value;
  assert(BYTES_AT * 4 + bytes.length <= PAGE_BYTES, 'a message to a service manager is short');
  kernel.libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, SEND_LIMIT, SEND_LIMIT.byteLength);
  const words = new Int32Array(buffer);
  const all = new Uint8Array(buffer);
  all.set(to, ADDRESS_AT * 4);
  all.set(bytes, BYTES_AT * 4);
  writeVector(words, VECTOR_AT, address + BYTES_AT * 4, bytes.length);
  const control = writeRights(words, CONTROL_AT, descriptors);
  const at = (word: number): number => address + word * 4;
  writeMessage(words, 0, at(ADDRESS_AT), to.length, at(VECTOR_AT), at(CONTROL_AT), control);
  const sent = kernel.libc.sendmsgAt(fd, address, MSG_NOSIGNAL);
  releaseMemory(kernel, mapped.value);
  return sent < 0 ? err(kernelError('sendmsg', sent)) : ok(undefined);
}
