/**
 * File descriptors, branded. The holder of a Descriptor closes it exactly once: a second close may
 * hit a descriptor that another thread has been given meanwhile.
 */
import { assert, assertShared } from '../core/assert.js';
import type { Brand } from '../core/brand.js';
import { err, ok, type Result } from '../core/result.js';
import { ERRNO, type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';

export type Descriptor = Brand<number, 'Descriptor'>;

/** fcntl(2): F_DUPFD_CLOEXEC, from <linux/fcntl.h>. */
export const F_DUPFD_CLOEXEC = 1030;
/** eventfd(2): EFD_CLOEXEC and EFD_NONBLOCK are O_CLOEXEC and O_NONBLOCK. */
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** Takes over a number that came from a plan or from a service manager. */
export function adoptDescriptor(fd: number): Descriptor {
  assert(Number.isInteger(fd) && fd >= 0, 'a descriptor is a non-negative integer');
  return fd as Descriptor;
}

/** Another descriptor for the same open socket (close-on-exec). */
export function duplicate(kernel: Kernel, fd: Descriptor): Result<Descriptor, KernelError> {
  const copy = kernel.libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return copy >= 0 ? ok(copy as Descriptor) : err(kernelError('fcntl', copy));
}

/** Closes `fd`. Linux frees the number even when close(2) reports EINTR or EIO. */
export function closeDescriptor(kernel: Kernel, fd: Descriptor): void {
  const answer = kernel.libc.close(fd);
  if (answer === -ERRNO.EBADF) assertShared(false, `descriptor ${fd} is closed once`);
}

/** An eventfd that starts at 0: the bell of one blocked thread. */
export function createBell(kernel: Kernel): Result<Descriptor, KernelError> {
  const fd = kernel.libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd >= 0 ? ok(fd as Descriptor) : err(kernelError('eventfd', fd));
}

const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/** Adds one to the eventfd `fd` and so wakes its reader; made for a Doorbell's `kick`. */
export function ringBell(kernel: Kernel, fd: number): void {
  // EAGAIN: the counter is full, so a wake-up is pending anyway. EBADF: the reader has just left.
  kernel.libc.write(fd, ONE, ONE.length);
}
