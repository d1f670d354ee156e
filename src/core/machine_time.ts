/**
 * Times of a process's clock as another process of the same machine has them: CLOCK_MONOTONIC is
 * the same for all of them, while the clock of each one has stood still when that one did.
 */
import type { Clock } from './clock.js';

/** `ownMs`, a time of `clock`, for others. */
export function toMachineMs(clock: Pick<Clock, 'stillMs'>, ownMs: number): number {
  return ownMs + (clock.stillMs?.() ?? 0);
}

/** What another process calls `machineMs`, on `clock`. */
export function toOwnMs(clock: Pick<Clock, 'stillMs'>, machineMs: number): number {
  return machineMs - (clock.stillMs?.() ?? 0);
}
