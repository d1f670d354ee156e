/** The kernel, and how often it came to one of its limits. */
import { ERRNO } from '../../../src/kernel/errno.js';
import type { Kernel } from '../../../src/kernel/foreign.js';
import {
  OFF_SQES,
  OP,
  PARAMS,
  SQ_CQ_OVERFLOW,
  SQE_WORDS,
  SYS_IO_URING_ENTER,
  SYS_IO_URING_SETUP,
} from '../../../src/kernel/uring_abi.js';

const UNKNOWN_COMMAND = 0xffff;

export interface WatchedKernel {
  readonly kernel: Kernel;
  /** The most submissions that one call handed over. */
  mostSubmitted: number;
  /** Calls after which completions were waiting outside of their queue. */
  overflows: number;
  /** Pipes that were asked for. */
  pipes: number;
  /** Bytes that splice(2) has moved. */
  splicedBytes: number;
  /** Stream and datagram sockets that were made; the number may be in use again. */
  readonly sockets: number[];
}

/**
 * What is refused: every splice(2) by a security policy, or only those out of a pipe; options that
 * are set by the ring, as before Linux 6.7.
 */
export type Refused = 'nothing' | 'splice' | 'splice out of a pipe' | 'options by the ring';

/** `pipes`: whether there are any to be had. */
export function watchedKernel(
  real: Kernel,
  pipes: 'some' | 'none',
  refused: Refused = 'nothing',
): WatchedKernel {
  const { libc } = real;
  const outlets = new Set<number>();
  const views = new Map<number, ArrayBuffer>();
  let ring = { params: 0, queues: 0 };
  let entriesAt = 0;
  const flags = (): number => {
    const params = views.get(ring.params);
    const queues = views.get(ring.queues);
    if (params === undefined || queues === undefined) return 0;
    const at = new Int32Array(params)[PARAMS.sqFlags] ?? 0;
    return new Int32Array(queues)[at >> 2] ?? 0;
  };
  const watched: WatchedKernel = {
    mostSubmitted: 0,
    overflows: 0,
    pipes: 0,
    splicedBytes: 0,
    sockets: [],
    kernel: {
      view: (address, bytes) => {
        const view = real.view(address, bytes);
        views.set(address, view);
        return view;
      },
      libc: {
        ...libc,
        syscall: (nr, a, b, c, d, e, f) => {
          if (nr === SYS_IO_URING_ENTER && refused === 'options by the ring') {
            spoilCommands(views.get(entriesAt));
          }
          const answer = libc.syscall(nr, a, b, c, d, e, f);
          if (nr === SYS_IO_URING_SETUP) ring = { params: Number(b), queues: 0 };
          if (nr === SYS_IO_URING_ENTER) {
            watched.mostSubmitted = Math.max(watched.mostSubmitted, Number(b));
            if ((flags() & SQ_CQ_OVERFLOW) !== 0) watched.overflows++;
          }
          return answer;
        },
        mmap: (at, bytes, protection, how, fd, offset) => {
          const address = libc.mmap(at, bytes, protection, how, fd, offset);
          if (fd >= 0 && offset === 0) ring = { ...ring, queues: address };
          if (fd >= 0 && offset === OFF_SQES) entriesAt = address;
          return address;
        },
        socket: (family, type, protocol) => {
          const fd = libc.socket(family, type, protocol);
          if (fd >= 0) watched.sockets.push(fd);
          return fd;
        },
        pipe2: (ends, how) => {
          watched.pipes++;
          const answer = pipes === 'none' ? -ERRNO.EMFILE : libc.pipe2(ends, how);
          if (answer >= 0) outlets.add(ends[0] ?? 0);
          return answer;
        },
        splice: (from, fromAt, to, toAt, n, how) => {
          if (refused === 'splice') return -ERRNO.EPERM;
          if (refused === 'splice out of a pipe' && outlets.has(from)) return -ERRNO.ENOSYS;
          const bytes = libc.splice(from, fromAt, to, toAt, n, how);
          if (bytes > 0) watched.splicedBytes += bytes;
          return bytes;
        },
      },
    },
  };
  return watched;
}

/** Makes the commands of all entries, those that set options, ones that no kernel knows. */
function spoilCommands(memory: ArrayBuffer | undefined): void {
  const entries = new Int32Array(memory ?? new ArrayBuffer(0));
  for (let at = 0; at < entries.length; at += SQE_WORDS) {
    if (((entries[at] ?? 0) & 0xff) === OP.URING_CMD) entries[at + 2] = UNKNOWN_COMMAND;
  }
}
