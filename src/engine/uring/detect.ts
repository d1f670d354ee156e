/**
 * Whether io_uring works on this machine, found out by trying; and if not, why, and what would have
 * to be changed. The errno of each refusal is that of io_uring_setup(2) and io_uring_register(2).
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Result } from '../../core/result.js';
import { BufferPool } from '../../kernel/buffer_pool.js';
import { adoptDescriptor, closeDescriptor } from '../../kernel/descriptor.js';
import { ERRNO, errnoName, type KernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { Ring } from '../../kernel/ring.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../kernel/sockets.js';
import type { Lack } from '../select.js';
import { SIZES } from './means.js';

export type UringSupport =
  /** `lacks`: what it has to do without; null: nothing. */
  | { readonly ok: true; readonly lacks: Lack | null }
  /** Sentences without a full stop. */
  | { readonly ok: false; readonly cause: string; readonly remedy: string };

/** What the machine says about itself, beside its answers to system calls. */
export interface MachineFacts {
  /** `uname -r` */
  readonly release: string;
  /**
   * kernel.io_uring_disabled: '0', '1' or '2'; null where the kernel does not know it (before
   * 6.6).
   */
  readonly disabled: string | null;
}

export function machineFacts(): MachineFacts {
  try {
    const disabled = readFileSync('/proc/sys/kernel/io_uring_disabled', 'utf8').trim();
    return { release: release(), disabled };
  } catch {
    return { release: release(), disabled: null };
  }
}

/** Sets a ring up as an engine would, and gives it back at once. */
export function detectUring(
  kernel: Result<Kernel, string>,
  facts: MachineFacts = machineFacts(),
): UringSupport {
  if (!kernel.ok) {
    const remedy =
      'run on Linux with the optional dependency koffi installed, and without --permission';
    return { ok: false, cause: kernel.error, remedy };
  }
  const { entries, completions, buffers } = SIZES;
  const ring = Ring.open(kernel.value, entries, completions);
  if (!ring.ok) return explain(ring.error, facts);
  const pool = BufferPool.create(kernel.value, ring.value, {
    group: 1,
    count: buffers,
    bufferBytes: 4096,
  });
  ring.value.close();
  if (!pool.ok) return explain(pool.error, facts);
  pool.value.close();
  return { ok: true, lacks: spliceLack(kernel.value) };
}

/** Moves a byte from pipe to pipe, as bulk data is moved; null when it came through. */
function spliceLack(kernel: Kernel): Lack | null {
  const pipes = [openPipe(kernel), openPipe(kernel)] as const;
  const [from, to] = pipes;
  const answer =
    from === null || to === null || kernel.libc.write(from[1], Uint8Array.of(0), 1) < 1
      ? -ERRNO.EMFILE
      : kernel.libc.splice(from[0], 0, to[1], 0, 1, 0);
  for (const end of pipes.flatMap((pipe) => pipe ?? [])) {
    closeDescriptor(kernel, adoptDescriptor(end));
  }
  if (answer === 1) return null;
  const errno = errnoName(answer);
  const refused = errno === 'EPERM' || errno === 'ENOSYS' || errno === 'EACCES';
  return refused
    ? refusedSplice(errno)
    : {
        cause: `no pipe can be had for splice(2) (${errno}): bulk data is copied through buffers`,
        remedy: 'Raise the limit of open files: LimitNOFILE= in the unit, or `ulimit -n`.',
      };
}

/** What is done without where splice(2) answers `errno`. */
export function refusedSplice(errno: string): Lack {
  return {
    cause: `splice(2) is refused (${errno}): bulk data is copied through buffers`,
    remedy: 'Allow splice in the seccomp profile; until then bulk costs more CPU.',
  };
}

function openPipe(kernel: Kernel): readonly [number, number] | null {
  const ends = new Int32Array(2);
  if (kernel.libc.pipe2(ends, SOCK_CLOEXEC | SOCK_NONBLOCK) < 0) return null;
  return [ends[0] ?? 0, ends[1] ?? 0];
}

function explain(error: KernelError, facts: MachineFacts): UringSupport {
  const no = (cause: string, remedy: string): UringSupport => ({ ok: false, cause, remedy });
  const { release, disabled } = facts;
  switch (error.errno) {
    case 'ENOSYS':
      return no(
        `the kernel (${release}) has no io_uring, or a sandbox hides it`,
        'use Linux 6.1 or later, and a seccomp profile that allows io_uring_setup',
      );
    case 'EINVAL':
      return no(
        `the kernel (${release}) lacks deferred task work (IORING_SETUP_DEFER_TASKRUN)`,
        'use Linux 6.1 or later',
      );
    case 'EPERM':
    case 'EACCES':
      return refused(disabled);
    case 'ENOMEM':
      return no(
        'the limit of locked memory (RLIMIT_MEMLOCK) is too low for the rings',
        'Raise it: LimitMEMLOCK=128M in the systemd unit, or ulimit -l',
      );
    case 'EMFILE':
    case 'ENFILE':
      return no(
        `there is no file descriptor left for a ring (${error.errno})`,
        'raise the limit: LimitNOFILE= in the systemd unit, or ulimit -n',
      );
    default:
      return no(error.sentence, 'use another engine, and report this');
  }
}

/** EPERM: by the sysctl, or by a security policy where the sysctl allows it. */
function refused(disabled: string | null): UringSupport {
  const remedy = 'sysctl kernel.io_uring_disabled=0';
  switch (disabled) {
    case '2':
      return {
        ok: false,
        cause: 'kernel.io_uring_disabled is 2: no process may use io_uring',
        remedy,
      };
    case '1':
      return {
        ok: false,
        cause: 'kernel.io_uring_disabled is 1: only members of kernel.io_uring_group may use it',
        remedy: `${remedy}, or put the user of the service into that group`,
      };
    default:
      return {
        ok: false,
        cause: 'a security policy refuses io_uring_setup (EPERM), as container runtimes do',
        remedy:
          'allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile ' +
          '(docker run --security-opt seccomp=…)',
      };
  }
}
