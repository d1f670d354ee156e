/**
 * An engine: what moves the bytes in one worker thread. Two ports (TCP, UDP) and a loop. Every
 * engine passes test/contract/tcp_engine.ts and udp_engine.ts beside it.
 */
import { type Clock, untilTogether } from '../core/clock.js';
import type { EngineName } from '../core/spec.js';
import type { TcpEdges, TcpEngine } from '../session/tcp_port.js';
import type { UdpEdges, UdpEngine } from '../session/udp_port.js';

/** A thread that is not at rest ticks at least this often: by that it shows that it lives. */
export const MAX_TICK_GAP_MS = 1_000;
/** Workers wake up this long before the main thread does: it sees that they live. */
const EARLY_MS = 100;

/**
 * How long a thread rests that begins to now: for ten seconds at most. All wake up together, and
 * just before what the main thread does every ten seconds (core/clock.ts), so that the machine
 * wakes up once.
 */
export function restMs(nowMs: number): number {
  return untilTogether(nowMs + EARLY_MS);
}

/** What the loop calls; all of it runs on the worker's own thread and none of it blocks. */
export interface LoopHooks {
  /**
   * After each turn in which edges were reported (bytes that only pass report none), whenever the
   * time that it returned last has come, and after MAX_TICK_GAP_MS, unless the thread rests:
   * expires deadlines.
   * Returns when to call at the latest, on the engine's clock (Infinity: nothing is due).
   */
  tick(nowMs: number): number;
  /**
   * The thread is about to wait for more than MAX_TICK_GAP_MS, because it has been idle: it shows
   * no sign of life before `untilMs`, unless something comes. Called again with the present time as
   * soon as the wait is over, before anything is done.
   */
  rests?(untilMs: number): void;
  /** The doorbell rang: messages wait on the port, or shared memory changed. */
  rung(): void;
}

export interface Engine {
  readonly name: EngineName;
  readonly clock: Clock;
  readonly tcp: TcpEngine;
  readonly udp: UdpEngine;
  /** Must be called once before `run`. */
  attach(tcp: TcpEdges, udp: UdpEdges): void;
  /**
   * Serves until `stop`. The node engine returns at once and lives on the event loop; a blocking
   * engine returns when it was stopped. `rung` is called for each ring of this worker's doorbell.
   */
  run(hooks: LoopHooks): Promise<void>;
  /**
   * Leaves the loop and closes everything that is still open; no edge and no hook comes after it.
   */
  stop(): void;
}

export interface EngineLimits {
  /** TCP pairs at the same time. */
  readonly pairs: number;
  readonly flows: number;
  /**
   * Pipes for bulk data, DESCRIPTORS_PER_PIPE each, where the engine has any; without a limit as
   * many as it likes. A session that finds none is served through buffers.
   */
  readonly pipes?: number;
  /** RLIMIT_NOFILE (soft); without it the node engine looks for a free descriptor each time. */
  readonly descriptors?: number;
}

export const DESCRIPTORS_PER_PIPE = 2;
