/**
 * Servers of one pool that all say "primary" where the pool wants the one that is: after a failover
 * the former one may have come back as it was, and writes go to both. sluice cannot know which is
 * right, nor fence the other: it says so.
 */
import { ranksOf } from '../core/ranks.js';
import { isUsable } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { Standing } from '../pool/standing.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

/**
 * Names of the backends that say "primary" and get sessions for it, if they are more than one; else
 * none. `members` are in the order of `standing.reasons`.
 */
export function rivalsIn(
  pool: PoolEntry,
  members: readonly BackendEntry[],
  standing: Standing,
  ledger: Ledger,
): readonly string[] {
  const { probe } = pool.spec.health;
  if (!('role' in probe) || probe.role !== 'primary') return [];
  const rankOf = ranksOf(pool.spec);
  const rivals = members.filter(
    (entry, index) =>
      entry.tenure === 'kept' &&
      isUsable(ledger, entry.id) &&
      isUsed(index, rankOf(entry.spec), standing),
  );
  return rivals.length > 1 ? rivals.map(({ spec }) => spec.name) : [];
}

/** A choice takes it now, or will as soon as it has a place again. */
function isUsed(index: number, rank: number, standing: Standing): boolean {
  const reason = standing.reasons[index];
  return reason === null || (reason === 'full' && rank <= standing.rank);
}

/** A sentence; '' where there is no rival. */
export function rivalry(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `${names.length} backends say that they are the primary (${names.join(', ')}): each gets writes`;
}
