/**
 * An eventfd that the event loop of Node.js waits for. Node.js takes no descriptor but files,
 * terminals, pipes and sockets, so it is given a pipe, in whose place an eventfd is put before
 * anything has looked: read(2) of one is a counter of eight bytes, which is all that is asked.
 */
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { err, ok, type Result } from '../core/result.js';
import { adoptDescriptor, closeDescriptor, createBell, type Descriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { SYS_DUP3 } from './mute.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from './sockets.js';

export interface LoopBell {
  /** What rings it, for as long as the bell is not closed. */
  readonly fd: Descriptor;
  close(): void;
}

/** Calls `rung` after each ring; rings may be merged. It keeps no process alive. */
export function openLoopBell(kernel: Kernel, rung: () => void): Result<LoopBell, KernelError> {
  const ends = new Int32Array(2);
  const answer = kernel.libc.pipe2(ends, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (answer < 0) return err(kernelError('pipe2', answer));
  const [fd, other] = [adoptDescriptor(ends[0] ?? 0), adoptDescriptor(ends[1] ?? 0)];
  const bell = createBell(kernel);
  if (!bell.ok) {
    closeDescriptor(kernel, fd);
    closeDescriptor(kernel, other);
    return bell;
  }
  const count = new Uint8Array(8);
  const callback = (): boolean => {
    rung();
    return true;
  };
  // `onread`: no stream is made of it.
  const options: SocketConstructorOpts & ConnectOpts = {
    fd,
    readable: true,
    writable: false,
    onread: { buffer: count, callback },
  };
  const reader = new Socket(options);
  const replaced = kernel.libc.syscall(SYS_DUP3, bell.value, fd, SOCK_CLOEXEC, 0, 0, 0);
  closeDescriptor(kernel, bell.value);
  closeDescriptor(kernel, other);
  if (replaced < 0) {
    reader.destroy();
    return err(kernelError('dup3', replaced));
  }
  reader.unref();
  return ok({ fd, close: () => void reader.destroy() });
}
