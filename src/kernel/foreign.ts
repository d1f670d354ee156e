/**
 * The only file that knows the FFI package. It binds the C library's functions that sluice calls,
 * all in one convention: a result of 0 or more, or the negative errno (as the kernel itself
 * answers). Pointers are plain numbers (addresses of mapped memory, always below 2^47) or, off the
 * hot path, typed arrays, which the callee uses during the call only.
 */
import { createRequire } from 'node:module';
import { err, ok, type Result } from '../core/result.js';
import type { SubmissionPlaces } from './untaken_closes.js';

type Bytes = Uint8Array | Int32Array;

export interface Libc {
  /** syscall(2): for system calls that the C library does not wrap. */
  syscall(nr: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  mmap(at: number, bytes: number, prot: number, flags: number, fd: number, offset: number): number;
  madvise(address: number, bytes: number, advice: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Bytes, addressBytes: number): number;
  connect(fd: number, address: Bytes, addressBytes: number): number;
  listen(fd: number, backlog: number): number;
  setsockopt(fd: number, level: number, option: number, value: Bytes, valueBytes: number): number;
  /** `size` holds the bytes of `value` before and those of the answer after the call. */
  getsockopt(fd: number, level: number, option: number, value: Bytes, size: Int32Array): number;
  getsockname(fd: number, address: Bytes, size: Int32Array): number;
  fcntl(fd: number, command: number, argument: number): number;
  close(fd: number): number;
  flock(fd: number, operation: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, bytes: Bytes, count: number): number;
  write(fd: number, bytes: Bytes, count: number): number;
  sendto(fd: number, b: Bytes, n: number, flags: number, to: Bytes, toBytes: number): number;
  /** `header`: the address of a msghdr, and so of everything that it points to. */
  recvmsgAt(fd: number, header: number, flags: number): number;
  sendmsgAt(fd: number, header: number, flags: number): number;
  shutdown(fd: number, how: number): number;
  pipe2(ends: Int32Array, flags: number): number;
  /** Offsets are addresses of offsets: 0 for sockets and pipes, which have none. */
  splice(from: number, fromAt: number, to: number, toAt: number, n: number, flags: number): number;
  /** The same calls with addresses, for those that each session makes. */
  accept4At(fd: number, address: number, size: number, flags: number): number;
  getsocknameAt(fd: number, address: number, size: number): number;
  getpeernameAt(fd: number, address: number, size: number): number;
  setsockoptAt(fd: number, level: number, option: number, value: number, bytes: number): number;
  connectAt(fd: number, address: number, bytes: number): number;
  /** malloc_trim(3): gives free memory of the C library back; null where that is not glibc. */
  readonly mallocTrim: ((pad: number) => number) | null;
  /** ioctl(2) with the address of its argument. */
  ioctlAt(fd: number, request: number, argument: number): number;
}

/** What foreign calls are made through; tests put a wrapper in its place to inject an errno. */
export interface Kernel {
  readonly libc: Libc;
  /**
   * Called for each descriptor that is closed elsewhere from now on: by a ring, once the entry is
   * published, or by Node.js.
   */
  readonly closing?: (fd: number) => void;
  /** Called for each ring that was opened. */
  readonly ringOpened?: (ring: SubmissionPlaces) => void;
  /** Mapped memory (never the JavaScript heap's) as an array buffer. */
  view(address: number, bytes: number): ArrayBuffer;
}

type ForeignFunction = (...values: readonly (number | Bytes)[]) => number;

/** koffi, as far as it is used here. */
interface Koffi {
  load(path: string | null): {
    func(name: string, result: string, parameters: readonly string[]): ForeignFunction;
  };
  view(address: bigint, bytes: number): ArrayBuffer;
  errno(): number;
}

let loaded: Result<Kernel, string> | undefined;

/** Binds the C library, once per thread, or says in a sentence why this is not possible here. */
export function loadKernel(): Result<Kernel, string> {
  loaded ??= bindKernel();
  return loaded;
}

function bindKernel(): Result<Kernel, string> {
  if (process.platform !== 'linux') {
    return err(`foreign calls are made on Linux only, and this is ${process.platform}`);
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    return ok({ libc: bindLibc(koffi), view: (at, bytes) => koffi.view(BigInt(at), bytes) });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    return err(`the FFI package koffi cannot be loaded: ${reason}`);
  }
}

/** Spelt out one by one, so that each call site sees one function and allocates no list. */
function bindLibc(koffi: Koffi): Libc {
  // The process itself is linked against its C library, whatever that file is called.
  const library = koffi.load(null);
  const f = (name: string, result: string, ...parameters: string[]): ForeignFunction =>
    library.func(name, result, parameters);
  const answer = (result: number): number => (result >= 0 ? result : -koffi.errno());
  const mmap = f('mmap', 'long', 'long', 'long', 'int', 'int', 'int', 'long');
  const madvise = f('madvise', 'int', 'long', 'long', 'int');
  const bind = f('bind', 'int', 'int', 'void *', 'uint');
  const connect = f('connect', 'int', 'int', 'void *', 'uint');
  const listen = f('listen', 'int', 'int', 'int');
  const setsockopt = f('setsockopt', 'int', 'int', 'int', 'int', 'void *', 'uint');
  const getsockopt = f('getsockopt', 'int', 'int', 'int', 'int', 'void *', 'void *');
  const getsockname = f('getsockname', 'int', 'int', 'void *', 'void *');
  const close = f('close', 'int', 'int');
  const flock = f('flock', 'int', 'int', 'int');
  const eventfd = f('eventfd', 'int', 'uint', 'int');
  const read = f('read', 'long', 'int', 'void *', 'long');
  const write = f('write', 'long', 'int', 'void *', 'long');
  const sendto = f('sendto', 'long', 'int', 'void *', 'long', 'int', 'void *', 'uint');
  const recvmsgAt = f('recvmsg', 'long', 'int', 'long', 'int');
  const sendmsgAt = f('sendmsg', 'long', 'int', 'long', 'int');
  const shutdown = f('shutdown', 'int', 'int', 'int');
  const splice = f('splice', 'long', 'int', 'long', 'int', 'long', 'long', 'uint');
  const getsocknameAt = f('getsockname', 'int', 'int', 'long', 'long');
  const getpeernameAt = f('getpeername', 'int', 'int', 'long', 'long');
  const setsockoptAt = f('setsockopt', 'int', 'int', 'int', 'int', 'long', 'uint');
  const connectAt = f('connect', 'int', 'int', 'long', 'uint');
  const ioctlAt = f('ioctl', 'int', 'int', 'long', 'long');
  return {
    ...bindOpening(f, answer),
    mmap: (at, n, prot, flags, fd, offset) => answer(mmap(at, n, prot, flags, fd, offset)),
    madvise: (address, bytes, advice) => answer(madvise(address, bytes, advice)),
    bind: (fd, address, size) => answer(bind(fd, address, size)),
    connect: (fd, address, size) => answer(connect(fd, address, size)),
    listen: (fd, backlog) => answer(listen(fd, backlog)),
    setsockopt: (fd, level, name, value, n) => answer(setsockopt(fd, level, name, value, n)),
    getsockopt: (fd, level, name, value, size) => answer(getsockopt(fd, level, name, value, size)),
    getsockname: (fd, address, size) => answer(getsockname(fd, address, size)),
    close: (fd) => answer(close(fd)),
    flock: (fd, operation) => answer(flock(fd, operation)),
    eventfd: (initial, flags) => answer(eventfd(initial, flags)),
    read: (fd, bytes, count) => answer(read(fd, bytes, count)),
    write: (fd, bytes, count) => answer(write(fd, bytes, count)),
    sendto: (fd, bytes, n, flags, to, size) => answer(sendto(fd, bytes, n, flags, to, size)),
    recvmsgAt: (fd, header, flags) => answer(recvmsgAt(fd, header, flags)),
    sendmsgAt: (fd, header, flags) => answer(sendmsgAt(fd, header, flags)),
    shutdown: (fd, how) => answer(shutdown(fd, how)),
    splice: (from, a, to, b, n, flags) => answer(splice(from, a, to, b, n, flags)),
    getsocknameAt: (fd, address, size) => answer(getsocknameAt(fd, address, size)),
    getpeernameAt: (fd, address, size) => answer(getpeernameAt(fd, address, size)),
    setsockoptAt: (fd, level, name, value, n) => answer(setsockoptAt(fd, level, name, value, n)),
    connectAt: (fd, address, size) => answer(connectAt(fd, address, size)),
    ioctlAt: (fd, request, argument) => answer(ioctlAt(fd, request, argument)),
    mallocTrim: optional(() => f('malloc_trim', 'int', 'long')),
  };
}

type Bind = (name: string, result: string, ...parameters: string[]) => ForeignFunction;

/**
 * The calls that answer with a new descriptor. A thread that is terminated ends where a function
 * begins: none begins between the system call and its caller, so that the caller can account for
 * the descriptor first (holdings.ts).
 */
function bindOpening(f: Bind, answer: (result: number) => number) {
  const syscall = f('syscall', 'long', ...Array<string>(7).fill('long'));
  const socket = f('socket', 'int', 'int', 'int', 'int');
  // fcntl(2) is variadic, but integers travel in the same registers on every Linux ABI of Node.js.
  const fcntl = f('fcntl', 'int', 'int', 'int', 'long');
  const pipe2 = f('pipe2', 'int', 'void *', 'int');
  const accept4At = f('accept4', 'int', 'int', 'long', 'long', 'int');
  return {
    syscall: (nr, a, b, c, d, e, g) => {
      const result = syscall(nr, a, b, c, d, e, g);
      return result >= 0 ? result : answer(result);
    },
    socket: (domain, type, protocol) => {
      const fd = socket(domain, type, protocol);
      return fd >= 0 ? fd : answer(fd);
    },
    fcntl: (fd, command, argument) => {
      const result = fcntl(fd, command, argument);
      return result >= 0 ? result : answer(result);
    },
    pipe2: (ends, flags) => {
      const result = pipe2(ends, flags);
      return result >= 0 ? result : answer(result);
    },
    accept4At: (listener, address, size, flags) => {
      const fd = accept4At(listener, address, size, flags);
      return fd >= 0 ? fd : answer(fd);
    },
  } satisfies Partial<Libc>;
}

/** What `bind` binds, or null where the library does not have it. */
function optional<T>(bind: () => T): T | null {
  try {
    return bind();
  } catch {
    return null;
  }
}
