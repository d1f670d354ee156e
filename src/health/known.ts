/**
 * What is known about a target, for a checker of another process that goes on from there: the
 * verdict, how far the next one is, and when the next attempt is due. Times of its clock are those
 * of the machine (core/machine_time.ts).
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import { toOwnMs } from '../core/machine_time.js';
import { probed } from './probe_change.js';
import { intervalMs } from './schedule.js';
import type { HealthTarget, LastAttempt, TargetHealth, VerdictReason } from './target.js';
import type { TrackState } from './tracker.js';

/** The memory of one target, independent of its watchers. */
export interface TargetMemory {
  readonly state: TrackState;
  readonly verdict: TargetHealth['verdict'];
  /** Failures in a row that say more of a standby than that its role is another one. */
  readonly ill: number;
  /** Wall clock. */
  readonly sinceMs: number;
  readonly reason: VerdictReason | null;
  readonly detail: string;
  /** null: not reported yet. */
  readonly share: number | null;
  readonly last: LastAttempt | null;
  readonly attempts: number;
  readonly failures: number;
  readonly transitions: number;
}

export interface KnownHealth {
  readonly memory: TargetMemory;
  /** Names what an attempt asks, and how. */
  readonly probe: string;
  /** When the last attempt began, and when the next one is due; null: there is none. */
  readonly startedMs: number | null;
  readonly dueMs: number | null;
}

/** Names what attempts on targets ask. Those of one pool ask the same: it is named once. */
export class ProbeNames {
  #last: { readonly target: HealthTarget; readonly name: string } | null = null;

  nameOf(target: HealthTarget): string {
    const last = this.#last;
    if (last !== null && asksTheSame(last.target, target)) return last.name;
    const text = JSON.stringify(probed(target));
    const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
    this.#last = { target, name };
    return name;
  }
}

function asksTheSame(a: HealthTarget, b: HealthTarget): boolean {
  return a.health === b.health && a.prelude === b.prelude && a.source === b.source;
}

/**
 * Milliseconds until the attempt that was due, and not later than an interval of today's
 * definition; null: what was asked is not what is asked now.
 */
export function remainingMs(
  known: KnownHealth,
  { health }: HealthTarget,
  probe: string,
  clock: Clock,
): number | null {
  if (known.dueMs === null || known.probe !== probe || health.probe.kind === 'none') return null;
  const leftMs = toOwnMs(clock, known.dueMs) - clock.nowMs();
  const mostMs = intervalMs(known.memory.state, health) * (1 + health.jitter);
  return Math.min(Math.max(0, leftMs), mostMs);
}
