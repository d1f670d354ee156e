/**
 * Orders of operators: names and what is wanted of them in, overrides out, or the name that is
 * unknown. Pure.
 */
import { bySimilarity, isSimilar } from '../../config/nearest.js';
import { shownName } from '../../config/show.js';
import { poolOfAll } from '../../core/identity.js';
import { err, ok, type Result } from '../../core/result.js';
import type { Spec } from '../../core/spec.js';
import { type BackendKind, backendsByName, configuredValue, type DesiredSources } from './fold.js';
import { NOT_HELD, type Override, slotOf, targetOfOverride, withAdded } from './override.js';

/** The user that gives the order, and for how long. */
export interface Provenance {
  readonly by: string;
  readonly because: string;
  readonly sinceWallMs: number;
  readonly untilWallMs: number | null;
}

export interface WantedValue extends Pick<Override, 'value'> {
  readonly kind: BackendKind;
}

export interface Ordered {
  /** All that hold then. */
  readonly overrides: readonly Override[];
  /** What this order has set, or ended. */
  readonly set: readonly Override[];
  readonly ended: readonly Override[];
}

/** A sentence with the nearest names. */
export type UnknownName = string;

/** Sets `wanted` on all of `names`: `POOL/BACKEND` or `POOL/*`. */
export function order(
  sources: DesiredSources,
  names: readonly string[],
  wanted: WantedValue,
  provenance: Provenance,
): Result<Ordered, UnknownName> {
  const configured = backendsByName(sources.configured);
  const targets = targetsOf(configured, names);
  if (!targets.ok) return targets;
  const set: Override[] = [];
  const same: Override[] = [];
  for (const target of targets.value) {
    const backend = configured.get(target);
    if (backend === undefined) continue;
    const replaced = configuredValue(backend, wanted.kind);
    const one = { ...placeOf(target), ...wanted, replaced, ...provenance };
    // What is configured anyway is no deviation.
    if (one.value === replaced || one.value === '100%') same.push(one);
    else set.push(one);
  }
  const slots = new Set(same.map(slotOf));
  const ended = sources.overrides.filter((one) => slots.has(slotOf(one)));
  const left = sources.overrides.filter((one) => !slots.has(slotOf(one)));
  return ok({ overrides: withAdded(left, set), set, ended });
}

/** Holds a pool: `value` as `holdText` writes it. */
export function hold(
  sources: DesiredSources,
  pool: string,
  value: string,
  provenance: Provenance,
): Result<Ordered, UnknownName> {
  const known = sources.configured.pools.map(({ name }) => name);
  if (!known.includes(pool)) return err(unknownPool(pool, known));
  return ok(
    setting(sources, { pool, backend: '', kind: 'hold', value, replaced: NOT_HELD, ...provenance }),
  );
}

/** Ends the hold of a pool; nothing where it is not held. */
export function release(sources: DesiredSources, pool: string): Result<Ordered, UnknownName> {
  const isIt = (one: Override): boolean => one.kind === 'hold' && one.pool === pool;
  const known = sources.configured.pools.map(({ name }) => name);
  if (!known.includes(pool) && !sources.overrides.some(isIt)) return err(unknownPool(pool, known));
  return ok(ending(sources, isIt));
}

/** Another level of the log; the configured one ends the override. */
export function logLevel(
  sources: DesiredSources,
  value: Spec['log']['level'],
  provenance: Provenance,
): Ordered {
  const replaced = sources.configured.log.level;
  if (value === replaced) return ending(sources, ({ kind }) => kind === 'log-level');
  const place = { pool: '', backend: '', kind: 'log-level' } as const;
  return setting(sources, { ...place, value, replaced, ...provenance });
}

/** No client in `block` may come to any listener; `block` as `blockText` writes it. */
export function deny(sources: DesiredSources, block: string, provenance: Provenance): Ordered {
  const place = { pool: '', backend: '', kind: 'deny' } as const;
  return setting(sources, { ...place, value: block, replaced: NOT_HELD, ...provenance });
}

/** Ends the denial of `block`. */
export function admit(sources: DesiredSources, block: string): Result<Ordered, UnknownName> {
  const isIt = ({ kind, value }: Override): boolean => kind === 'deny' && value === block;
  if (sources.overrides.some(isIt)) return ok(ending(sources, isIt));
  const denied = sources.overrides.filter(({ kind }) => kind === 'deny');
  const some = denied.slice(0, MAX_TOLD).map(({ value }) => String(value));
  const more = denied.length > MAX_TOLD ? ' …' : '';
  const known = some.length === 0 ? 'no block is.' : `${some.join(', ')}${more} is.`;
  return err(`${block} is not denied by an order: ${known}`);
}

function setting({ overrides }: DesiredSources, one: Override): Ordered {
  return { overrides: withAdded(overrides, [one]), set: [one], ended: [] };
}

function ending({ overrides }: DesiredSources, which: (one: Override) => boolean): Ordered {
  return {
    overrides: overrides.filter((one) => !which(one)),
    set: [],
    ended: overrides.filter(which),
  };
}

/** Ends the overrides of all of `names` for which `which` holds. */
export function end(
  sources: DesiredSources,
  names: readonly string[],
  which: (override: Override) => boolean,
): Result<Ordered, UnknownName> {
  const here = backendsByName(sources.configured);
  const away = sources.overrides.map(targetOfOverride).filter((target) => !here.has(target));
  const also = away.map((target) => [target, null] as const);
  const targets = targetsOf(also.length === 0 ? here : new Map([...here, ...also]), names);
  if (!targets.ok) return targets;
  const meant = new Set(targets.value);
  return ok(ending(sources, (one) => meant.has(targetOfOverride(one)) && which(one)));
}

/** `POOL/*` stands for all of a pool; `known`: by name. */
function targetsOf(
  known: ReadonlyMap<string, unknown>,
  names: readonly string[],
): Result<readonly string[], UnknownName> {
  const found = new Set<string>();
  for (const name of names) {
    const pool = poolOfAll(name);
    const one = known.has(name) ? [name] : [];
    const matches = pool === null ? one : ofPool([...known.keys()], pool);
    if (matches.length === 0) return err(unknownName(name, [...known.keys()]));
    for (const match of matches) found.add(match);
  }
  return ok([...found]);
}

function ofPool(known: readonly string[], pool: string): readonly string[] {
  return known.filter((each) => each.startsWith(`${pool}/`));
}

const MAX_TOLD = 5;

function unknownName(name: string, known: readonly string[]): string {
  const what = `There is no backend ${shownName(name)}`;
  if (known.length === 0) return `${what}: there is none at all.`;
  const isPool = known.some((one) => one.startsWith(`${name}/`));
  if (isPool) return `${what}: ${name} is a pool, and ${name}/* is all of its backends.`;
  const near = bySimilarity(name, known).filter((one) => isSimilar(name, one));
  if (near.length > 0) return `${what}; did you mean ${near.slice(0, MAX_TOLD).join(', ')}?`;
  const more = known.length > MAX_TOLD ? ' …' : '';
  const some = known.slice(0, MAX_TOLD).join(', ');
  return `${what}; a backend is named POOL/BACKEND, and POOL/* is all of a pool: ${some}${more}`;
}

function unknownPool(name: string, known: readonly string[]): string {
  const near = bySimilarity(name, known).filter((one) => isSimilar(name, one));
  const some = (near.length > 0 ? near : known).slice(0, MAX_TOLD).join(', ');
  const help = near.length > 0 ? `did you mean ${some}?` : `there is ${some}.`;
  return `There is no pool ${shownName(name)}; ${known.length === 0 ? 'there is none at all.' : help}`;
}

function placeOf(target: string): Pick<Override, 'pool' | 'backend'> {
  const slash = target.indexOf('/');
  return { pool: target.slice(0, slash), backend: target.slice(slash + 1) };
}
