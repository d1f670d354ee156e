/** What the checker holds for one target, and what that one is doing. */
import { unreachable } from '../core/assert.js';
import type { Clock } from '../core/clock.js';
import type { CutOff } from '../core/cut_off.js';
import { toMachineMs } from '../core/machine_time.js';
import type { Random } from '../core/random.js';
import type { Alarm } from './agenda.js';
import type { KnownHealth } from './known.js';
import type { Probe } from './probe.js';
import { nextDelayMs } from './schedule.js';
import type { Watched } from './watched.js';

/** What the checker does for a target right now. */
export type Activity =
  /** Nothing: the target is not probed. */
  | { readonly kind: 'none' }
  /** Waits for its time. */
  | { readonly kind: 'waiting' }
  /** Is due, and waits for its turn. */
  | { readonly kind: 'queued' }
  /** The probe is under way. */
  | { readonly kind: 'attempting'; readonly cutOff: CutOff; readonly startedMs: number };

export interface Checked {
  readonly watched: Watched;
  probe: Probe;
  /** Says when it is due, and when the attempt under way has had its time. */
  readonly alarm: Alarm;
  readonly limit: Alarm;
  /** Called when it may start. */
  readonly begin: () => void;
  activity: Activity;
  watching: 'on' | 'over';
  /** Clock: when the last attempt that counted began; null before the first. */
  lastStartMs: number | null;
}

export const NOTHING: Activity = { kind: 'none' };
export const WAITING: Activity = { kind: 'waiting' };
export const QUEUED: Activity = { kind: 'queued' };

interface KnownDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** For another checker; `probe` names what is asked. */
export function knownOf(
  { watched, activity, alarm, lastStartMs }: Checked,
  probe: string,
  { clock, random }: KnownDeps,
): KnownHealth {
  const { memory, state, target } = watched;
  const nowMs = clock.nowMs();
  const machineMs = (ownMs: number | null) => (ownMs === null ? null : toMachineMs(clock, ownMs));
  const known = (startedMs: number | null, dueMs: number | null): KnownHealth => {
    return { memory, probe, startedMs: machineMs(startedMs), dueMs: machineMs(dueMs) };
  };
  switch (activity.kind) {
    case 'none':
      return known(null, null);
    case 'waiting':
      return known(lastStartMs, alarm.dueMs);
    case 'queued':
      return known(lastStartMs, nowMs);
    case 'attempting': {
      // Its result comes too late, but the backend has been asked.
      const elapsedMs = nowMs - activity.startedMs;
      const delayMs = nextDelayMs(state, state, target.health, elapsedMs, random);
      return known(activity.startedMs, nowMs + delayMs);
    }
    default:
      return unreachable(activity);
  }
}
