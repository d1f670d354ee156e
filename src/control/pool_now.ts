/** A pool as it is now: its standing with the backends that it is of, and the words for both. */
import type { PoolState } from '../admin/views.js';
import { unreachable } from '../core/assert.js';
import type { Ineligible } from '../core/outcome.js';
import type { Standing } from '../pool/standing.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

export interface PoolNow {
  readonly pool: PoolEntry;
  /** In the order of `standing.reasons`. */
  readonly members: readonly BackendEntry[];
  readonly standing: Standing;
  readonly state: PoolState;
  readonly sinceWallMs: number;
  /** Backends that all say "primary", where one should. */
  readonly primaries: readonly string[];
}

/** Every backend of the file, and those that leave, with what keeps each from the next session. */
export function accountsOf({ members, standing, pool }: PoolNow): readonly {
  readonly name: string;
  readonly word: Ineligible | 'eligible' | 'removed' | 'unresolved';
}[] {
  const known = members.map(({ spec, tenure }, index) => {
    const word = tenure === 'leaving' ? 'removed' : (standing.reasons[index] ?? 'eligible');
    return { name: spec.name, word } as const;
  });
  const unresolved = pool.unresolved.map(({ spec }) => {
    return { name: spec.name, word: 'unresolved' } as const;
  });
  return [...known, ...unresolved];
}

export function poolState({ serves }: Standing): PoolState {
  switch (serves) {
    case 'first':
      return 'up';
    case 'backup':
      return 'backup';
    case 'all':
      return 'panic';
    case 'all-full':
      return 'full';
    case 'unproven':
      return 'unproven';
    case 'all-down':
    case 'no-backend':
      return 'down';
    default:
      return unreachable(serves);
  }
}
