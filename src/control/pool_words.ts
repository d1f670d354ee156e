/** Sentences on pools, and on listeners for what is behind them. */
import type { PoolState } from '../admin/views.js';
import { accountOf, type Deviation } from '../core/deviation.js';
import { poolsOf } from '../core/routes.js';
import type { Desires } from './desired/desires.js';
import type { Inventory, ListenerEntry, PoolEntry } from './inventory.js';
import { inItsPlace } from './name_report.js';
import { accountsOf, type PoolNow } from './pool_now.js';
import { rivalry } from './rivals.js';

/** New sessions of it wait, so its clients lose nothing: that is ready. */
export function isHeld({ spec }: Pick<PoolEntry, 'spec'>): boolean {
  return spec.settings.heldAtMost > 0;
}

/** `pool app is held (at most 1000 wait) by ada: switchover (since …)` */
export function heldBehind(
  listeners: readonly ListenerEntry[],
  desires: Pick<Desires, 'holdOf'>,
): string[] {
  return poolsBehind(listeners).flatMap((name) =>
    desires.holdOf(name).map((hold) => `pool ${name} is ${accountOf(hold)}`),
  );
}

function poolsBehind(listeners: readonly ListenerEntry[]): readonly string[] {
  return [...new Set(listeners.flatMap(({ spec }) => poolsOf(spec)))];
}

/** Which backends behind `listeners` have no address, and what serves in their place. */
export function namesWithout(listeners: readonly ListenerEntry[], { pools }: Inventory): string[] {
  return poolsBehind(listeners).flatMap((name) =>
    (pools.get(name)?.unresolved ?? []).map(
      (one) => `pool ${name}: backend ${one.spec.name} has no address; ${inItsPlace(one)}`,
    ),
  );
}

/** `down 2, standby 1`; `none at all` without backends. */
export function tally(now: PoolNow): string {
  const counts = new Map<string, number>();
  for (const { word } of accountsOf(now)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const parts = [...counts].map(([word, count]) => `${word} ${count}`);
  return parts.length === 0 ? 'it has none' : parts.join(', ');
}

export function poolReason(
  { pool, state, primaries }: PoolNow,
  queueLength: number,
  holds: readonly Deviation[],
): string {
  const { queueSize } = pool.spec.settings;
  if (holds.length > 0) return [...holds.map(accountOf), `${queueLength} wait now`].join('; ');
  if (state === 'full' && queueSize > 0) {
    return queueLength < queueSize
      ? 'every backend that could serve is full: new sessions wait in the queue'
      : 'every backend that could serve is full, and so is the queue: new sessions are refused';
  }
  return [POOL_REASONS[state], rivalry(primaries)].filter((part) => part !== '').join('; ');
}

const POOL_REASONS: Readonly<Record<PoolState, string>> = {
  up: '',
  backup: 'only its backups serve',
  panic: 'too few backends are well: all are used, whatever their health',
  full: 'every backend that could serve is full: new sessions are refused',
  unproven: 'no backend has had a verdict yet: new sessions wait for the first',
  down: 'no backend is eligible',
  leaving: 'no longer in the file; its sessions may finish',
};
