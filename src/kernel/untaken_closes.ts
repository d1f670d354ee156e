/**
 * The closes that a thread has put into its ring and that the kernel has not taken, because the
 * thread ended before: no other thread would ever make them. A close that the kernel has taken is
 * done, and its number may be in use again. The head of the queue, which the kernel writes,
 * separates the two exactly.
 */
import type { Kernel } from './foreign.js';
import { OP, SQE_WORDS } from './uring_abi.js';

/** Where the submissions of a ring are, as words of mapped memory. */
export interface SubmissionPlaces {
  /** Address and size in bytes of the queues, and their words for head and tail. */
  readonly queues: number;
  readonly queuesBytes: number;
  readonly headWord: number;
  readonly tailWord: number;
  /** Address and number of the entries. */
  readonly entries: number;
  readonly count: number;
}

/** The descriptors to close. Only when the thread that used the ring has ended. */
export function untakenCloses(kernel: Kernel, ring: SubmissionPlaces): number[] {
  const queues = new Int32Array(kernel.view(ring.queues, ring.queuesBytes));
  const words = new Int32Array(kernel.view(ring.entries, ring.count * SQE_WORDS * 4));
  const tail = Atomics.load(queues, ring.tailWord);
  const closes: number[] = [];
  for (let n = Atomics.load(queues, ring.headWord); n !== tail; n = (n + 1) | 0) {
    const at = (n & (ring.count - 1)) * SQE_WORDS;
    const fd = words[at + 1];
    if (((words[at] ?? 0) & 0xff) === OP.CLOSE && fd !== undefined) closes.push(fd);
  }
  return closes;
}
