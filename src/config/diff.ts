/**
 * What a reload changes: two Specs in, the difference out. Pure; control acts on it and writes it
 * to the log. Identity is the inventory's: a listener is its name and protocol, a backend its pool,
 * name and address; whatever else changes is a setting of something that stays.
 */
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import { backendKey, listenerKey } from '../core/identity.js';
import { ranksOf } from '../core/ranks.js';
import { sameValue } from '../core/same_value.js';
import type { BackendSpec, ListenerSpec, PoolSpec, Spec } from '../core/spec.js';
import { type RestartNeed, restartNeeds } from './restart.js';

type Section = 'daemon' | 'log' | 'admin';

export interface SpecDiff {
  readonly listeners: Difference<ListenerSpec, ListenerChange>;
  /** By their own settings; their backends are in `backends`. */
  readonly pools: Difference<PoolSpec, PoolDifference>;
  readonly backends: Difference<BackendAt, BackendChange>;
  /** Sections that changed in settings that this process follows. */
  readonly sections: readonly Section[];
  /** Settings that the file changes and this process cannot. */
  readonly needsRestart: readonly RestartNeed[];
}

export interface Difference<T, Change> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly Change[];
}

interface WithSettings {
  readonly settings: object;
}

/** The settings, and what stands beside them. */
type Flat<Thing extends WithSettings> = Omit<Thing, 'settings'> & Thing['settings'];

export interface ListenerChange {
  readonly before: ListenerSpec;
  readonly after: ListenerSpec;
  readonly bindAdded: readonly Endpoint[];
  readonly bindRemoved: readonly Endpoint[];
  /** What else changed, without `bind`. */
  readonly settings: readonly (keyof Flat<ListenerSpec>)[];
}

export interface PoolDifference {
  readonly before: PoolSpec;
  readonly after: PoolSpec;
  readonly settings: readonly (keyof Flat<PoolSpec>)[];
}

export interface BackendAt {
  readonly pool: string;
  readonly backend: BackendSpec;
}

export interface BackendChange {
  readonly pool: string;
  readonly before: BackendSpec;
  readonly after: BackendSpec;
  readonly settings: readonly (keyof BackendSpec)[];
}

export function diffSpecs(before: Spec, after: Spec): SpecDiff {
  return {
    listeners: compare(before.listeners, after.listeners, listenerKey, listenerChange),
    pools: compare(before.pools, after.pools, ({ name }) => name, poolChange),
    backends: compare(backendsOf(before), backendsOf(after), backendAtKey, backendChange),
    sections: sectionsChanged(before, after),
    needsRestart: restartNeeds(before, after),
  };
}

/**
 * The same with each backend that was left in place as one that stays, although its address in the
 * file is another: control knows what a name leads to.
 */
export function asDone(diff: SpecDiff, stays: (at: BackendAt) => boolean): SpecDiff {
  const nameOf = ({ pool, backend }: BackendAt): string => `${pool}/${backend.name}`;
  const { added, removed, changed } = diff.backends;
  const back = new Map(added.filter(stays).map((at) => [nameOf(at), at]));
  const moved: BackendChange[] = [];
  const paired = new Set<BackendAt>();
  for (const before of removed) {
    const after = back.get(nameOf(before));
    const change = after === undefined ? null : backendChange(before, after);
    if (after === undefined || change === null) continue;
    moved.push(change);
    paired.add(before).add(after);
  }
  const others = (all: readonly BackendAt[]): BackendAt[] => all.filter((at) => !paired.has(at));
  const backends = {
    added: others(added),
    removed: others(removed),
    changed: [...changed, ...moved],
  };
  return { ...diff, backends };
}

/** True when the file asks for nothing else than what runs. */
export function isUnchanged(diff: SpecDiff): boolean {
  const parts = [diff.listeners, diff.pools, diff.backends];
  return parts.every(isEmpty) && diff.sections.length === 0 && diff.needsRestart.length === 0;
}

/**
 * One line for the log: `listeners +1 -0 ~1, backends +2 -1 ~0; needs a restart: daemon.workers`.
 */
export function describeDiff(diff: SpecDiff): string {
  if (isUnchanged(diff)) return 'nothing changed';
  const kinds = ['listeners', 'pools', 'backends'] as const;
  const parts = kinds.flatMap((kind) => {
    const { added, removed, changed } = diff[kind];
    if (isEmpty(diff[kind])) return [];
    return [`${kind} +${added.length} -${removed.length} ~${changed.length}`];
  });
  parts.push(...diff.sections);
  const restart = diff.needsRestart.map(({ setting }) => setting).join(', ');
  if (restart === '') return parts.join(', ');
  return [...(parts.length === 0 ? [] : [parts.join(', ')]), `needs a restart: ${restart}`].join(
    '; ',
  );
}

/** The same by name, as `listener app`, `pool app`, `backend app/a`; for programs. */
export function namesIn(diff: SpecDiff): Record<'added' | 'removed' | 'changed', string[]> {
  const { listeners, pools, backends } = diff;
  const listed = (kind: 'added' | 'removed'): string[] => [
    ...listeners[kind].map(({ name }) => `listener ${name}`),
    ...pools[kind].map(({ name }) => `pool ${name}`),
    ...backends[kind].map(({ pool, backend }) => `backend ${pool}/${backend.name}`),
  ];
  const changed = [
    ...listeners.changed.map(({ after }) => `listener ${after.name}`),
    ...pools.changed.map(({ after }) => `pool ${after.name}`),
    ...backends.changed.map(({ pool, after }) => `backend ${pool}/${after.name}`),
    ...diff.sections,
  ];
  return { added: listed('added'), removed: listed('removed'), changed };
}

function sectionsChanged(before: Spec, after: Spec): Section[] {
  const daemon = ({ daemon }: Spec): unknown => [
    daemon.shutdownTimeoutMs,
    daemon.leaveDelayMs,
    daemon.reloadUpgrades,
    daemon.probesPerSecond,
  ];
  const log = ({ log }: Spec): unknown => [log.level, log.access];
  const admin = ({ admin }: Spec): unknown => [
    admin.hosts,
    admin.backendHistograms,
    admin.tokenFile,
    admin.allowPublic,
    admin.socketUsers,
  ];
  const changed = (read: (spec: Spec) => unknown): boolean => !sameValue(read(before), read(after));
  return [
    ...(changed(daemon) ? (['daemon'] as const) : []),
    ...(changed(log) ? (['log'] as const) : []),
    ...(changed(admin) ? (['admin'] as const) : []),
  ];
}

function isEmpty({ added, removed, changed }: Difference<unknown, unknown>): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** `change` answers null for two that do not differ. */
function compare<T, Change>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
  change: (before: T, after: T) => Change | null,
): Difference<T, Change> {
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const current = new Map(after.map((item) => [keyOf(item), item]));
  const changed: Change[] = [];
  for (const [key, item] of current) {
    const was = old.get(key);
    const difference = was === undefined ? null : change(was, item);
    if (difference !== null) changed.push(difference);
  }
  return {
    added: after.filter((item) => !old.has(keyOf(item))),
    removed: before.filter((item) => !current.has(keyOf(item))),
    changed,
  };
}

function listenerChange(before: ListenerSpec, after: ListenerSpec): ListenerChange | null {
  const bindAdded = without(after.bind, before.bind);
  const bindRemoved = without(before.bind, after.bind);
  const settings = differing(flat(before), flat(after)).filter((key) => key !== 'bind');
  if (bindAdded.length + bindRemoved.length + settings.length === 0) return null;
  return { before, after, bindAdded, bindRemoved, settings };
}

function poolChange(before: PoolSpec, after: PoolSpec): PoolDifference | null {
  const settings = differing(flat(before), flat(after)).filter((key) => key !== 'backends');
  if (!settings.includes('backups') && !sameOrder(before, after)) settings.push('backups');
  return settings.length === 0 ? null : { before, after, settings };
}

/** Where one backup serves at a time, by their order. */
function sameOrder(before: PoolSpec, after: PoolSpec): boolean {
  if (after.backups === 'all') return true;
  const [old, now] = [ranksOf(before), ranksOf(after)];
  const known = new Set(before.backends.map(({ name }) => name));
  const both = after.backends.filter(({ name, backup }) => backup && known.has(name));
  const inOrder = (rank: typeof old): readonly string[] =>
    [...both].sort((a, b) => rank(a) - rank(b)).map(({ name }) => name);
  return sameValue(inOrder(old), inOrder(now));
}

function backendChange(before: BackendAt, after: BackendAt): BackendChange | null {
  const settings = differing(before.backend, after.backend);
  if (settings.length === 0) return null;
  return { pool: after.pool, before: before.backend, after: after.backend, settings };
}

function backendsOf(spec: Spec): readonly BackendAt[] {
  return spec.pools.flatMap(({ name, backends }) =>
    backends.map((backend) => ({ pool: name, backend })),
  );
}

function backendAtKey({ pool, backend }: BackendAt): string {
  return `${pool}/${backendKey(backend, backend.address)}`;
}

function without(all: readonly Endpoint[], some: readonly Endpoint[]): readonly Endpoint[] {
  const known = new Set(some.map(formatAddress));
  return all.filter((endpoint) => !known.has(formatAddress(endpoint)));
}

function flat<Thing extends WithSettings>({ settings, ...rest }: Thing): Flat<Thing> {
  return { ...rest, ...settings };
}

function differing<T extends object>(before: T, after: T): readonly (keyof T)[] {
  const keys = Object.keys(after) as (keyof T)[];
  return keys.filter((key) => !sameValue(before[key], after[key]));
}
