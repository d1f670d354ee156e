/**
 * What is desired: the file, with the members that discovery has found (fold_discovered.ts), with
 * what operators have overridden. Pure: sources in, one Spec out, and the overrides that do not
 * hold any more. Reload, addresses, discovery and commands all come this way.
 */
import type { BackendSpec, PoolSpec, Spec } from '../../core/spec.js';
import {
  lastsAt,
  type Override,
  overridesByTarget,
  targetOfOverride,
  weightBy,
} from './override.js';

export interface Sources {
  /** The file, with the members that its sources have found. */
  readonly configured: Spec;
  readonly overrides: readonly Override[];
}

/** An override that does not hold any more, and why. */
export interface Ended {
  readonly override: Override;
  readonly why:
    | { readonly kind: 'expired' }
    | { readonly kind: 'gone' }
    /** The configuration says something else than when it was set. */
    | { readonly kind: 'configured'; readonly value: string | number };
}

export interface Desired {
  readonly sources: Sources;
  /** What shall be. */
  readonly spec: Spec;
  readonly ended: readonly Ended[];
}

/**
 * `mayWait`: for a backend that is not there now, because sources of its pool may find it again.
 * Its override changes nothing meanwhile.
 */
export function fold(
  { configured, overrides }: Sources,
  wallMs: number,
  mayWait: (override: Override) => boolean = () => false,
): Desired {
  const byBackend = backendsByName(configured);
  const kept: Override[] = [];
  const ended: Ended[] = [];
  for (const override of overrides) {
    const backend = byBackend.get(targetOfOverride(override));
    const why = lastsAt(override, wallMs) ? whyNot(override, backend, mayWait) : EXPIRED;
    if (why === null) kept.push(override);
    else ended.push({ override, why });
  }
  const holding = ended.length === 0 ? overrides : kept;
  const sources = { configured, overrides: holding };
  if (holding.length === 0) return { sources, spec: configured, ended };
  const byTarget = overridesByTarget(holding);
  const pools = configured.pools.map((pool) => overridden(pool, byTarget));
  return { sources, spec: { ...configured, pools }, ended };
}

const EXPIRED = { kind: 'expired' } as const;

/** The configured value that an override of this kind replaces. */
export function configuredValue(
  { admin, weight, maxConnections }: BackendSpec,
  kind: Override['kind'],
): string | number {
  switch (kind) {
    case 'drain':
    case 'maintain':
      return admin;
    case 'weight':
      return weight;
    case 'cap':
      return maxConnections;
  }
}

/** Backends of a Spec by `POOL/BACKEND`. */
export function backendsByName({ pools }: Spec): ReadonlyMap<string, BackendSpec> {
  return new Map(
    pools.flatMap(({ name: pool, backends }) =>
      backends.map((spec) => [targetOfOverride({ pool, backend: spec.name }), spec] as const),
    ),
  );
}

function whyNot(
  override: Override,
  backend: BackendSpec | undefined,
  mayWait: (override: Override) => boolean,
): Ended['why'] | null {
  if (backend === undefined) return mayWait(override) ? null : { kind: 'gone' };
  const value = configuredValue(backend, override.kind);
  return value === override.replaced ? null : { kind: 'configured', value };
}

type ByTarget = ReadonlyMap<string, readonly Override[]>;

function overridden(pool: PoolSpec, byTarget: ByTarget): PoolSpec {
  let isChanged = false;
  const backends = pool.backends.map((backend) => {
    const all = byTarget.get(targetOfOverride({ pool: pool.name, backend: backend.name }));
    if (all === undefined) return backend;
    isChanged = true;
    return all.reduce(apply, backend);
  });
  return isChanged ? { ...pool, backends } : pool;
}

function apply(backend: BackendSpec, { kind, value, replaced }: Override): BackendSpec {
  switch (kind) {
    case 'drain':
      return { ...backend, admin: 'drained' };
    case 'maintain':
      return { ...backend, admin: 'maintenance' };
    case 'weight':
      return { ...backend, weight: weightBy(value, Number(replaced)) };
    case 'cap':
      return { ...backend, maxConnections: Number(value) };
  }
}
