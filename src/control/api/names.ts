/** Names in requests: what they name, or the nearest ones that there are. */
import { bySimilarity, isSimilar } from '../../config/nearest.js';
import { shownName } from '../../config/show.js';
import { err, ok, type Result } from '../../core/result.js';
import type { BackendEntry, Inventory, ListenerEntry, PoolEntry } from '../inventory.js';
import { notFound, type Problem } from './problem.js';

/** Names that a problem lists. */
const MAX_TOLD = 5;

export function findListener(inventory: Inventory, name: string): Result<ListenerEntry, Problem> {
  const all = [...inventory.listeners.values()];
  const found = all.find(({ spec }) => spec.name === name);
  if (found !== undefined) return ok(found);
  return err(
    nothingNamed(
      'listener',
      name,
      all.map(({ spec }) => spec.name),
    ),
  );
}

export function findPool(inventory: Inventory, name: string): Result<PoolEntry, Problem> {
  const found = inventory.pools.get(name);
  if (found !== undefined) return ok(found);
  return err(nothingNamed('pool', name, [...inventory.pools.keys()]));
}

/** `POOL/BACKEND`: of several with that name the one in the file. */
export function findBackend(inventory: Inventory, name: string): Result<BackendEntry, Problem> {
  const [poolName = '', backendName] = splitName(name);
  if (backendName === undefined) {
    const remark = 'a backend is named POOL/BACKEND; ';
    const places = backendsNamed(inventory, name).map((entry) => fullName(entry));
    if (places.length > 0) {
      const told = places.slice(0, MAX_TOLD).join(', ') + (places.length > MAX_TOLD ? ' …' : '');
      const start = `There is no backend ${shownName(name)}; ${remark}`;
      return err(notFound(`${start}did you mean ${told}?`));
    }
    return err(nothingNamed('backend', name, allBackends(inventory).map(fullName), remark));
  }
  const pool = findPool(inventory, poolName);
  if (!pool.ok) return pool;
  const all = [...pool.value.backends.values()];
  const named = all.filter(({ spec }) => spec.name === backendName);
  const found = named.find(({ tenure }) => tenure === 'kept') ?? named[0];
  return found === undefined ? err(nothingNamed('backend', name, all.map(fullName))) : ok(found);
}

/** `pool`, whose backends `names` are, is asked for as if it were one of them. */
export function poolInstead(pool: string, names: readonly string[]): Problem {
  const known = [...new Set(names)].map((name) => `${pool}/${name}`);
  const [first] = known;
  const itself = `${shownName(pool)} is a pool: \`sluice ctl pools\` says how it is`;
  if (first === undefined) return notFound(`${itself}; it has no backends.`);
  const told = known.slice(0, MAX_TOLD).join(', ') + (known.length > MAX_TOLD ? ' …' : '');
  return notFound(
    `${itself}, and \`sluice ctl why ${first}\` how one of its backends is (${told}).`,
  );
}

/** The pool and the backend of `POOL/BACKEND`; one word only where there is no slash. */
export function splitName(name: string): readonly string[] {
  const slash = name.indexOf('/');
  return slash < 0 ? [name] : [name.slice(0, slash), name.slice(slash + 1)];
}

/** Backends of this name, in whatever pool. */
export function backendsNamed(inventory: Inventory, name: string): readonly BackendEntry[] {
  return allBackends(inventory).filter(({ spec }) => spec.name === name);
}

export function nothingNamed(
  kind: string,
  name: string,
  known: readonly string[],
  remark = '',
): Problem {
  const near = bySimilarity(name, known).filter((candidate) => isSimilar(name, candidate));
  const told = near.length > 0 ? near.slice(0, MAX_TOLD) : known.slice(0, MAX_TOLD);
  const more = near.length === 0 && known.length > MAX_TOLD ? ' …' : '';
  const which = near.length > 0 ? 'did you mean' : `each ${kind} that there is:`;
  const hint =
    known.length === 0 ? `there is no ${kind} at all` : `${which} ${told.join(', ')}${more}`;
  const end = near.length > 0 ? '?' : '.';
  return notFound(`There is no ${kind} ${shownName(name)}; ${remark}${hint}${end}`);
}

function fullName({ pool, spec }: BackendEntry): string {
  return `${pool.key}/${spec.name}`;
}

function allBackends(inventory: Inventory): readonly BackendEntry[] {
  return [...inventory.pools.values()].flatMap(({ backends }) => [...backends.values()]);
}
