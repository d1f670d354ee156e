/**
 * Servers of one pool that all say "primary" where the pool wants the one that is: after a failover
 * the former one may have come back as it was, and writes go to both. sluice cannot know which is
 * right, nor fence the other: it says so.
 */
import type { Ledger } from '../pool/ledger.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

/** Names of the backends that say "primary", if they are more than one; else none. */
export function rivalsIn(pool: PoolEntry, ledger: Ledger): readonly string[] {
  const { probe } = pool.spec.health;
  if (!('role' in probe) || probe.role !== 'primary') return [];
  const claims = ({ tenure, id }: BackendEntry): boolean =>
    tenure === 'kept' && ledger.health(id) === 'up';
  const names = [...pool.backends.values()].filter(claims).map(({ spec }) => spec.name);
  return names.length > 1 ? names : [];
}

/** A sentence; '' where there is no rival. */
export function rivalry(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `${names.length} backends say that they are the primary (${names.join(', ')}): each gets writes`;
}
