/** How much this machine allows: worker threads, and rows of their engines. Pure. */
import { MAX_WORKERS } from '../core/limits.js';
import { err, ok, type Result } from '../core/result.js';
import type { DaemonSpec, EngineName } from '../core/spec.js';
import type { PortSharing } from './port_sharing.js';

const MIB = 1_048_576;
const MIN_CAPACITY = 16_384;
/** Below this a daemon in production is worth a warning. */
export const WANTED_DESCRIPTORS = 8_192;

/**
 * Locked memory of one uring worker, as Linux 6.18 counts it: 4096 submissions of 68 bytes, 16384
 * completions of 16, two buffer rings of 16 KiB, and a page of heads and tails each.
 */
export const LOCKED_BYTES_PER_WORKER = 4096 * 68 + 16_384 * 16 + 2 * 16_384 + 4 * 4096;

/**
 * Address space that is taken at the start, as VmPeak of Node.js 20 on x64: of the process, and of
 * one worker. Nearly all of it is reserved and never used.
 */
const ADDRESS_BYTES = 1_060 * MIB;
const ADDRESS_BYTES_PER_WORKER = 660 * MIB;
/** On top of that. */
const ADDRESS_BYTES_PER_RING = 390 * MIB;

/**
 * Whether `workers` find room in `limitBytes` of address space (RLIMIT_AS). V8 ends the process
 * where a thread does not, so that nothing could be said any more.
 */
export function fitAddressSpace(
  limitBytes: number | null,
  workers: number,
  engine: EngineName,
): Result<null, string> {
  const ringBytes = engine === 'uring' ? ADDRESS_BYTES_PER_RING : 0;
  const neededBytes = ADDRESS_BYTES + workers * (ADDRESS_BYTES_PER_WORKER + ringBytes);
  if (limitBytes === null || neededBytes <= limitBytes) return ok(null);
  const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
  return err(
    `the address space of the process is limited to ${mib(limitBytes)}, and ${workers} workers ` +
      `of engine "${engine}" reserve ${mib(neededBytes)}: raise LimitAS (or \`ulimit -v\`), or ` +
      'set fewer workers',
  );
}

/** What `max_sessions` of a listener means: 0 is what the descriptors allow. */
export function sessionLimit(maxSessions: number, budget: number): number {
  return maxSessions === 0 ? budget : maxSessions;
}

/**
 * Rows that an engine lays out; more than `budget` sessions, so that those that are held at a cap,
 * and flows, which have one descriptor each, find room too.
 */
export function engineCapacity(budget: number): number {
  return Math.max(budget, MIN_CAPACITY);
}

/**
 * Worker threads: as configured, or one a core. Without a way to share a port (neither foreign
 * calls nor Node's reusePort) there can only be one.
 */
export function workerCount(
  wanted: DaemonSpec['workers'],
  cores: number,
  portSharing: PortSharing,
): number {
  if (portSharing === 'impossible') return 1;
  return Math.min(MAX_WORKERS, wanted === 'auto' ? Math.max(1, cores) : wanted);
}
