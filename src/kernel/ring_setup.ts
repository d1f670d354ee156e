/** Sets an io_uring up and maps it (io_uring_setup(2)). */
import { assert } from '../core/assert.js';
import { err, ok, type Result } from '../core/result.js';
import { adoptDescriptor, closeDescriptor, type Descriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { type MappedMemory, mapDescriptor, mapMemory, releaseMemory } from './memory.js';
import * as abi from './uring_abi.js';

const { PARAMS } = abi;

/** Linux 6.1: one thread submits, and completions are worked off only when it asks for them. */
const SETUP_FLAGS =
  abi.SETUP_CQSIZE |
  abi.SETUP_CLAMP |
  abi.SETUP_SUBMIT_ALL |
  abi.SETUP_SINGLE_ISSUER |
  abi.SETUP_TASKRUN_FLAG |
  abi.SETUP_DEFER_TASKRUN;

const NEEDED_FEATURES =
  abi.FEAT_SINGLE_MMAP | abi.FEAT_NODROP | abi.FEAT_EXT_ARG | abi.FEAT_CQE_SKIP;

export interface RingSetup {
  readonly fd: Descriptor;
  /** struct io_uring_params as the kernel filled it in. */
  readonly params: Int32Array;
  /** Heads, tails, flags and the completion entries. */
  readonly queues: MappedMemory;
  /** The submission entries. */
  readonly entries: MappedMemory;
}

/** Sizes are rounded up to powers of two. Fails where io_uring, or a part of it, is not allowed. */
export function setUpRing(
  kernel: Kernel,
  entries: number,
  completions: number,
): Result<RingSetup, KernelError> {
  const argument = mapMemory(kernel, abi.PARAMS_WORDS * 4);
  if (!argument.ok) return argument;
  const words = new Int32Array(argument.value.buffer);
  words[PARAMS.flags] = SETUP_FLAGS;
  words[PARAMS.cqEntries] = completions;
  const { address } = argument.value;
  const fd = kernel.libc.syscall(abi.SYS_IO_URING_SETUP, entries, address, 0, 0, 0, 0);
  const params = words.slice();
  releaseMemory(kernel, argument.value);
  if (fd < 0) return err(kernelError('io_uring_setup', fd));
  const mapped = mapRing(kernel, adoptDescriptor(fd), params);
  if (!mapped.ok) closeDescriptor(kernel, adoptDescriptor(fd));
  return mapped;
}

export function param(params: Int32Array, field: keyof typeof PARAMS): number {
  return params[PARAMS[field]] ?? 0;
}

function mapRing(
  kernel: Kernel,
  fd: Descriptor,
  params: Int32Array,
): Result<RingSetup, KernelError> {
  const at = (field: keyof typeof PARAMS): number => param(params, field);
  assert(
    (at('features') & NEEDED_FEATURES) === NEEDED_FEATURES,
    'a kernel with DEFER_TASKRUN (6.1) has the features of 5.17',
  );
  const queueBytes = Math.max(
    at('sqArray') + at('sqEntries') * 4,
    at('cqCqes') + at('cqEntries') * abi.CQE_WORDS * 4,
  );
  const queues = mapDescriptor(kernel, fd, queueBytes, abi.OFF_SQ_RING);
  if (!queues.ok) return queues;
  const entryBytes = at('sqEntries') * abi.SQE_WORDS * 4;
  const entries = mapDescriptor(kernel, fd, entryBytes, abi.OFF_SQES);
  if (!entries.ok) {
    releaseMemory(kernel, queues.value);
    return entries;
  }
  const words = new Int32Array(queues.value.buffer);
  // The queues' own copies of their sizes stand where the offsets say.
  assert(
    words[at('sqRingEntries') >> 2] === at('sqEntries') &&
      words[at('cqRingEntries') >> 2] === at('cqEntries'),
    'the queues are laid out as struct io_uring_params says',
  );
  return ok({ fd, params, queues: queues.value, entries: entries.value });
}
