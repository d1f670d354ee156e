/** Which backends a reload left in place, whatever has become of the address in the file. */
import type { BackendAt } from '../config/diff.js';
import type { BackendEntry, Inventory } from './inventory.js';

/**
 * To be called before the change. What it gives is asked afterwards: does the same entry, with its
 * sessions and health, serve under the name as before? A name that has no address for now, or has
 * the one that stood in the file before, leaves it where it is.
 */
export function watchStaying(inventory: Inventory): (at: BackendAt) => boolean {
  const before = new Set([...inventory.backends()].filter(isKept));
  const nameOf = ({ pool, spec }: BackendEntry): string => named(pool.key, spec.name);
  let stayed: ReadonlySet<string> | null = null;
  return ({ pool, backend }) => {
    stayed ??= new Set(
      [...inventory.backends()].filter((one) => isKept(one) && before.has(one)).map(nameOf),
    );
    return stayed.has(named(pool, backend.name));
  };
}

function isKept({ tenure }: BackendEntry): boolean {
  return tenure === 'kept';
}

/** Neither name holds a zero byte. */
function named(pool: string, backend: string): string {
  return `${pool}\0${backend}`;
}
