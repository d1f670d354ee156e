/**
 * An engine: what moves the bytes in one worker thread. Two ports (TCP, UDP) and a loop. Every
 * engine passes test/contract/tcp_engine.ts and test/contract/udp_engine.ts.
 */
import type { Clock } from '../core/clock.js';
import type { EngineName } from '../core/spec.js';
import type { TcpEdges, TcpEngine } from '../session/tcp_port.js';
import type { UdpEdges, UdpEngine } from '../session/udp_port.js';

/** What the loop calls; all of it runs on the worker's own thread and none of it blocks. */
export interface LoopHooks {
  /**
   * After each turn in which edges were reported (bytes that only pass report none) and whenever
   * the time that it returned last has come: expires deadlines.
   * Returns when to call at the latest, on the engine's clock (Infinity: nothing is due).
   */
  tick(nowMs: number): number;
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
   * Pipes for bulk data, DESCRIPTORS_A_PIPE each, where the engine has any; without a limit as many
   * as it likes. Who finds none is served through buffers.
   */
  readonly pipes?: number;
  /** RLIMIT_NOFILE (soft); without it the node engine looks for a free descriptor each time. */
  readonly descriptors?: number;
}

export const DESCRIPTORS_A_PIPE = 2;
