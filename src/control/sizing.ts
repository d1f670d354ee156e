/** How much this machine allows: worker threads, and rows of their engines. Pure. */
import { MAX_WORKERS } from '../core/limits.js';
import type { DaemonSpec } from '../core/spec.js';
import type { PortSharing } from './port_sharing.js';

const MIN_CAPACITY = 16_384;
/** Below this a daemon in production is worth a warning. */
export const WANTED_DESCRIPTORS = 8_192;

/**
 * Locked memory of one uring worker, as Linux 6.18 counts it: 4096 submissions of 68 bytes, 16384
 * completions of 16, two buffer rings of 16 KiB, and a page of heads and tails each.
 */
export const LOCKED_BYTES_A_WORKER = 4096 * 68 + 16_384 * 16 + 2 * 16_384 + 4 * 4096;

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
