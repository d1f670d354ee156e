/** In which order the backends of a pool are used. Pure. */
import type { BackendSpec, PoolSpec } from './spec.js';

/**
 * The rank of a backend of `pool`: 0 without `backup`. A higher one serves while no backend of a
 * lower rank is eligible. All backups have one rank, or each its own, in the order of the pool's
 * backends; one that left the pool's backends, and serves in place of a name, comes last.
 */
export function ranksOf({
  backups,
  backends,
}: Pick<PoolSpec, 'backups' | 'backends'>): (
  backend: Pick<BackendSpec, 'name' | 'backup'>,
) => number {
  if (backups === 'all') return ({ backup }) => (backup ? 1 : 0);
  const inOrder = backends.filter(({ backup }) => backup);
  const ranks = new Map(inOrder.map(({ name }, index) => [name, index + 1]));
  const last = inOrder.length + 1;
  return ({ name, backup }) => (backup ? (ranks.get(name) ?? last) : 0);
}
