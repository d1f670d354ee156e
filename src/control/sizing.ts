/** How much this machine allows: worker threads, and sessions by the limit of open files. Pure. */
import { MAX_WORKERS } from '../core/limits.js';
import type { DaemonSpec } from '../core/spec.js';
import type { PortSharing } from './port_sharing.js';

/** Descriptors beside sessions: listeners, rings, pipes for splice, probes, admin, log. */
const RESERVED_DESCRIPTORS = 512;
/** With a low limit at most this share is reserved. */
const RESERVED_SHARE = 0.25;
/** A session has two sockets, a flow one beside the listener's; two is the safe figure. */
const DESCRIPTORS_A_SESSION = 2;
/** Rows for pairs are laid out at start: a limit of "unlimited" must not take all memory. */
export const MAX_SESSIONS = 262_144;
const MIN_CAPACITY = 16_384;
/** Below this a daemon in production is worth a warning. */
export const WANTED_DESCRIPTORS = 8_192;

/**
 * Locked memory of one uring worker, as Linux 6.18 counts it: 4096 submissions of 68 bytes, 16384
 * completions of 16, two buffer rings of 16 KiB, and a page of heads and tails each.
 */
export const LOCKED_BYTES_A_WORKER = 4096 * 68 + 16_384 * 16 + 2 * 16_384 + 4 * 4096;

/** Sessions that `descriptors` (RLIMIT_NOFILE, soft) allow; 1 or more. */
export function sessionBudget(descriptors: number): number {
  const reserved = Math.min(RESERVED_DESCRIPTORS, Math.floor(descriptors * RESERVED_SHARE));
  const sessions = Math.floor((descriptors - reserved) / DESCRIPTORS_A_SESSION);
  return Math.max(1, Math.min(sessions, MAX_SESSIONS));
}

/** What `max_sessions` of a listener means: 0 is what the descriptors allow. */
export function sessionLimit(maxSessions: number, budget: number): number {
  return maxSessions === 0 ? budget : maxSessions;
}

/**
 * Rows that an engine lays out: an explicit `max_sessions` may be above the budget, and is then met
 * by EMFILE, not by an engine that is full.
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
