/** What is simulated: a pool, its sessions, and what befalls it. */
import type { Arrivals } from './arrivals.js';

export interface SimulatedBackend {
  readonly name: string;
  readonly weight: number;
  /** Work done in a unit of time: 2 halves every service time. */
  readonly speed: number;
  /** Sessions that it may have, waiting ones included; 0 = no limit. */
  readonly maxConnections: number;
}

export type Trouble =
  /** Refuses dials and loses its sessions; health notices with `Scenario.detectMs` of delay. */
  | {
      readonly kind: 'down';
      readonly backend: number;
      readonly fromMs: number;
      readonly toMs: number;
    }
  /** Works at a fraction of its speed: service times are multiplied, and no probe notices. */
  | {
      readonly kind: 'slow';
      readonly backend: number;
      readonly fromMs: number;
      readonly toMs: number;
      readonly factor: number;
    };

export interface Scenario {
  readonly backends: readonly SimulatedBackend[];
  readonly arrivals: Arrivals;
  /** Sessions that a backend serves at once, the others wait in order; 0 = all at once. */
  readonly slots: number;
  readonly troubles: readonly Trouble[];
  /** From the moment when a backend dies, or comes back, to the verdict of health. */
  readonly detectMs: number;
  /** Further backends after a refused dial, each one not tried yet. */
  readonly retries: number;
  /** What comes before is simulated and not measured. */
  readonly warmupMs: number;
}

/** Connect and first byte of an idle backend of speed 1: waiting for a slot comes on top. */
export const FIRST_BYTE_MS = 2;
