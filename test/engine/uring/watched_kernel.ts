/** The kernel, and how often it came to one of its limits. */
import { ERRNO } from '../../../src/kernel/errno.js';
import type { Kernel } from '../../../src/kernel/foreign.js';
import {
  PARAMS,
  SQ_CQ_OVERFLOW,
  SYS_IO_URING_ENTER,
  SYS_IO_URING_SETUP,
} from '../../../src/kernel/uring_abi.js';

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
}

/** A call that a security policy refuses: every splice(2), or only those out of a pipe. */
export type Refused = 'nothing' | 'splice' | 'splice out of a pipe';

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
    kernel: {
      view: (address, bytes) => {
        const view = real.view(address, bytes);
        views.set(address, view);
        return view;
      },
      libc: {
        ...libc,
        syscall: (nr, a, b, c, d, e, f) => {
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
          return address;
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
