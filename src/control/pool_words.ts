/** Sentences on pools, and on listeners for what is behind them. */
import type { PoolState } from '../admin/views.js';
import { poolsOf } from '../core/routes.js';
import type { Inventory, ListenerEntry, PoolEntry } from './inventory.js';
import { inItsPlace } from './name_report.js';
import { accountsOf, type PoolNow } from './pool_now.js';
import { rivalry } from './rivals.js';

/** New sessions of it wait, so its clients lose nothing: that is ready. */
export function isHeld({ spec }: Pick<PoolEntry, 'spec'>): boolean {
  return spec.settings.heldAtMost > 0;
}

export function heldBehind(listeners: readonly ListenerEntry[], { pools }: Inventory): string[] {
  return poolsBehind(listeners).flatMap((name) => {
    const pool = pools.get(name);
    return pool !== undefined && isHeld(pool) ? [`pool ${name} is held: new sessions wait`] : [];
  });
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

export function poolReason({ pool, state, primaries }: PoolNow, queueLength: number): string {
  const { queueSize, heldAtMost } = pool.spec.settings;
  if (isHeld({ spec: pool.spec })) {
    return `an operator holds it: new sessions wait, ${queueLength} of ${heldAtMost} now`;
  }
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
