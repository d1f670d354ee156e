/**
 * An override: what an operator wants instead of what is configured, with user, reason and end. It
 * remembers the value that it replaced: where the configuration says something else now, that is
 * newer, and wins. Pure.
 */
import type { Deviation, OverrideKind } from '../../core/deviation.js';

export interface Override extends Deviation {
  /** '' of what is about the daemon. */
  readonly pool: string;
  /** '' of what is about a whole pool, or the daemon. */
  readonly backend: string;
  readonly kind: OverrideKind;
  /**
   * `drained`, `maintenance`, a weight, a weight as `50%` of the configured one, a cap, how many
   * may wait while a pool is held (`1000 drain`: and its sessions end), a level of the log, or the
   * block whose clients are denied.
   */
  readonly value: string | number;
  /** What was configured when it was set. */
  readonly replaced: string | number;
}

/** Of one target, where that is known. */
export function deviationsIn(overrides: readonly Override[]): readonly Deviation[] {
  return overrides.map(({ kind, value, replaced, by, because, sinceWallMs, untilWallMs }) => {
    return { kind, value, replaced, by, because, sinceWallMs, untilWallMs };
  });
}

/** What an override of each kind is about. */
const SUBJECTS = {
  drain: 'backend',
  maintain: 'backend',
  weight: 'backend',
  cap: 'backend',
  hold: 'pool',
  'log-level': 'daemon',
  deny: 'daemon',
} as const satisfies Readonly<Record<OverrideKind, string>>;

export function subjectOf({ kind }: Pick<Override, 'kind'>): (typeof SUBJECTS)[OverrideKind] {
  return SUBJECTS[kind];
}

/** `POOL/BACKEND`, the pool alone, or `daemon`. */
export function targetOfOverride({ pool, backend }: Pick<Override, 'pool' | 'backend'>): string {
  if (backend !== '') return `${pool}/${backend}`;
  return pool === '' ? 'daemon' : pool;
}

export function overridesByTarget(
  all: readonly Override[],
): ReadonlyMap<string, readonly Override[]> {
  const byTarget = new Map<string, Override[]>();
  for (const one of all) {
    const target = targetOfOverride(one);
    const known = byTarget.get(target);
    if (known === undefined) byTarget.set(target, [one]);
    else known.push(one);
  }
  return byTarget;
}

/** Two of the same slot cannot hold at the same time: a backend is drained or in maintenance. */
export function slotOf(override: Pick<Override, 'pool' | 'backend' | 'kind' | 'value'>): string {
  const { kind, value } = override;
  // Any number of blocks may be denied.
  if (kind === 'deny') return `${kind} ${value}`;
  const slot = kind === 'drain' || kind === 'maintain' ? 'state' : kind;
  return `${targetOfOverride(override)} ${slot}`;
}

/** In force at `wallMs`, as far as its time goes. */
export function lastsAt({ untilWallMs }: Override, wallMs: number): boolean {
  return untilWallMs === null || wallMs < untilWallMs;
}

/** The overrides `now` with `added` in the places of what they replace. */
export function withAdded(
  now: readonly Override[],
  added: readonly Override[],
): readonly Override[] {
  const slots = new Set(added.map(slotOf));
  return [...now.filter((one) => !slots.has(slotOf(one))), ...added];
}

/** A weight: itself, or a share of the configured one. */
export function weightBy(value: string | number, configured: number): number {
  if (typeof value === 'number') return value;
  return (configured * Number(value.slice(0, -1))) / 100;
}

/** `50%`: up to ten times the configured weight. */
export const PERCENTAGE = /^(0|[1-9]\d{0,2}|1000)%$/;

/** What is configured of a pool that an operator holds: no file holds one. */
export const NOT_HELD = 'open';
export const MOST_HELD = 100_000;
const HOLD_VALUE = /^([1-9]\d{0,5})( drain)?$/;

/** What a pool is held with. */
export interface Hold {
  /** New sessions that wait, at most. */
  readonly atMost: number;
  readonly sessions: 'keep' | 'drain';
}

export function holdText({ atMost, sessions }: Hold): string {
  return sessions === 'drain' ? `${atMost} drain` : String(atMost);
}

/** null: it says nothing of a hold. */
export function holdBy(value: string | number): Hold | null {
  const [, most = '', drains] = HOLD_VALUE.exec(String(value)) ?? [];
  const atMost = Number(most);
  if (atMost < 1 || atMost > MOST_HELD) return null;
  return { atMost, sessions: drains === undefined ? 'keep' : 'drain' };
}
