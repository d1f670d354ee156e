/**
 * What is desired: the file, with the members that discovery has found (fold_discovered.ts), with
 * what operators have overridden. Pure: sources in, one Spec out, and the overrides that do not
 * hold any more. Reload, addresses, discovery and commands all come this way.
 */
import { readBlock } from '../../core/address_text.js';
import { unreachable } from '../../core/assert.js';
import {
  type AddressBlock,
  type BackendSpec,
  LOG_LEVELS,
  type PoolSpec,
  type Spec,
} from '../../core/spec.js';
import {
  holdBy,
  lastsAt,
  NOT_HELD,
  type Override,
  subjectOf,
  targetOfOverride,
  weightBy,
} from './override.js';

export interface DesiredSources {
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
  readonly sources: DesiredSources;
  /** What shall be. */
  readonly spec: Spec;
  readonly ended: readonly Ended[];
}

/**
 * `mayWait`: for a backend that is not there now, because sources of its pool may find it again.
 * Its override changes nothing meanwhile.
 */
export function fold(
  { configured, overrides }: DesiredSources,
  wallMs: number,
  mayWait: (override: Override) => boolean = () => false,
): Desired {
  const byBackend = backendsByName(configured);
  const kept: Override[] = [];
  const ended: Ended[] = [];
  for (const override of overrides) {
    const value = configuredFor(override, configured, byBackend);
    const why = lastsAt(override, wallMs) ? whyNot(override, value, mayWait) : EXPIRED;
    if (why === null) kept.push(override);
    else ended.push({ override, why });
  }
  const holding = ended.length === 0 ? overrides : kept;
  const sources = { configured, overrides: holding };
  if (holding.length === 0) return { sources, spec: configured, ended };
  const byPool = overridesByPool(holding);
  const pools = configured.pools.map((pool) => overridden(pool, byPool.get(pool.name)));
  const log = holding.reduce(levelled, configured.log);
  const denied = holding.flatMap(deniedBy);
  return { sources, spec: { ...configured, log, pools, denied }, ended };
}

/** Those that were set with another file, as if it had been with `configured`. */
export function asIfSetFor(configured: Spec, overrides: readonly Override[]): readonly Override[] {
  const byBackend = backendsByName(configured);
  return overrides.flatMap((override) => {
    const replaced = configuredFor(override, configured, byBackend);
    return replaced === undefined ? [] : [{ ...override, replaced }];
  });
}

const EXPIRED = { kind: 'expired' } as const;

/** The kinds of what is about one backend. */
export type BackendKind = Exclude<Override['kind'], 'hold' | 'log-level' | 'deny'>;

/** undefined: there is nothing that the override would be about. */
function configuredFor(
  override: Override,
  { pools, log }: Spec,
  byBackend: ReadonlyMap<string, BackendSpec>,
): string | number | undefined {
  const { kind, pool } = override;
  if (kind === 'log-level') return log.level;
  if (kind === 'deny') return NOT_HELD;
  if (kind === 'hold') return pools.some(({ name }) => name === pool) ? NOT_HELD : undefined;
  const backend = byBackend.get(targetOfOverride(override));
  return backend === undefined ? undefined : configuredValue(backend, kind);
}

/** The configured value that an override of this kind replaces. */
export function configuredValue(
  { admin, weight, maxConnections }: BackendSpec,
  kind: BackendKind,
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
export function backendsByName(spec: Spec): ReadonlyMap<string, BackendSpec> {
  const known = namesKnown.get(spec);
  if (known !== undefined) return known;
  const byName = new Map<string, BackendSpec>();
  for (const { name: pool, backends } of spec.pools) {
    for (const one of backends) byName.set(targetOfOverride({ pool, backend: one.name }), one);
  }
  namesKnown.set(spec, byName);
  return byName;
}

/** An order asks for them three times; of thousands of backends that is most of what it takes. */
const namesKnown = new WeakMap<Spec, ReadonlyMap<string, BackendSpec>>();

function whyNot(
  override: Override,
  value: string | number | undefined,
  mayWait: (override: Override) => boolean,
): Ended['why'] | null {
  if (value === undefined) {
    return subjectOf(override) === 'backend' && mayWait(override) ? null : { kind: 'gone' };
  }
  return value === override.replaced ? null : { kind: 'configured', value };
}

/** Of one pool, by backend; '': of the pool itself. */
type OfPool = ReadonlyMap<string, readonly Override[]>;

/** In two steps, so that no name has to be put together for each of thousands of backends. */
function overridesByPool(all: readonly Override[]): ReadonlyMap<string, OfPool> {
  const byPool = new Map<string, Map<string, Override[]>>();
  for (const one of all) {
    const ofPool = byPool.get(one.pool) ?? new Map<string, Override[]>();
    byPool.set(one.pool, ofPool);
    const known = ofPool.get(one.backend);
    if (known === undefined) ofPool.set(one.backend, [one]);
    else known.push(one);
  }
  return byPool;
}

function overridden(pool: PoolSpec, ofPool: OfPool | undefined): PoolSpec {
  if (ofPool === undefined) return pool;
  let isChanged = false;
  const held = (ofPool.get('') ?? []).reduce(underHold, pool);
  const backends = pool.backends.map((backend) => {
    const all = ofPool.get(backend.name);
    if (all === undefined) return backend;
    isChanged = true;
    return all.reduce(apply, backend);
  });
  return isChanged ? { ...held, backends } : held;
}

function underHold(pool: PoolSpec, { kind, value }: Override): PoolSpec {
  const hold = kind === 'hold' ? holdBy(value) : null;
  if (hold === null) return pool;
  const settings = { ...pool.settings, heldAtMost: hold.atMost };
  return { ...pool, settings, whileHeld: hold.sessions };
}

function levelled(log: Spec['log'], { kind, value }: Override): Spec['log'] {
  const level = LOG_LEVELS.find((one) => one === value);
  return kind === 'log-level' && level !== undefined ? { ...log, level } : log;
}

/** Whose clients an override denies. */
export function deniedBy({
  kind,
  value,
}: Pick<Override, 'kind' | 'value'>): readonly AddressBlock[] {
  const block = kind === 'deny' ? readBlock(String(value)) : null;
  return block?.ok ? [block.value] : [];
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
    case 'hold':
    case 'log-level':
    case 'deny':
      return backend;
    default:
      return unreachable(kind);
  }
}
