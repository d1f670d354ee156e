/**
 * How a plan travels: what differs from the plan before, cut into parts. Each is so small that a
 * worker has applied it within a few milliseconds; between two of them its sessions have their
 * turn. Pure.
 */
import type { BackendId, ListenerId, PoolId } from '../core/brand.js';
import type {
  BackendPlan,
  Directions,
  ListenerPlan,
  Plan,
  PlanPart,
  PoolChange,
  PoolPlan,
  SocketLead,
} from '../core/plan.js';
import { poolsOf } from '../core/routes.js';
import { sameValue } from '../core/same_value.js';

/** Backends that are read and merged in one part: about a millisecond. */
const BACKENDS_PER_PART = 256;
/** A pool that changes costs as much as this many backends, beside its own. */
const WORK_PER_POOL = 8;
/** An unchanged backend of a pool that changes costs this part of a changed one. */
const UNCHANGED_SHARE = 1 / 8;
/** Sockets are opened, or closed: tens of microseconds each. */
const LISTENERS_PER_PART = 24;
/** A worker makes this many of them ready in the time of a socket. */
const ROUTES_PER_SOCKET = 16;

/**
 * What leads from `before` (null: nothing) to `after`; listeners of `again` are sent in any case.
 * The parts of pools may be known already: they are the same for all workers.
 */
export function partsBetween(
  before: Plan | null,
  after: Plan,
  again: ReadonlySet<ListenerId> = new Set(),
  ofPools: readonly PlanPart[] = poolPartsBetween(before?.pools ?? [], after.pools),
): readonly PlanPart[] {
  const oldListeners = byId(before?.listeners ?? []);
  const newListeners = byId(after.listeners);
  const coming = after.listeners.filter(
    (one) => again.has(one.id) || !sameListener(oldListeners.get(one.id), one),
  );
  const leaving = [...oldListeners.keys()].filter((id) => !newListeners.has(id));
  const parts: PlanPart[] = switched(before?.listeners ?? [], after.listeners, ofPools);
  if (coming.length + leaving.length > 0) {
    parts.push({ kind: 'leaving', listeners: leaving, coming: coming.map(({ id }) => id) });
  }
  for (const listeners of cutByRoutes(coming)) parts.push({ kind: 'listeners', listeners });
  for (const listeners of cut(leaving, LISTENERS_PER_PART)) {
    parts.push({ kind: 'closing', listeners });
  }
  const newPools = new Set(after.pools.map(({ id }) => id));
  const pools = (before?.pools ?? []).map(({ id }) => id).filter((id) => !newPools.has(id));
  return [...parts, { kind: 'done', version: after.version, access: after.access, pools }];
}

/**
 * The parts of pools; those that an open socket leaves and that change as well go last, together
 * with where that socket leads.
 */
function switched(
  before: readonly ListenerPlan[],
  after: readonly ListenerPlan[],
  ofPools: readonly PlanPart[],
): PlanPart[] {
  const bySocket = new Map<number, Directions>();
  const byListener = new Map<ListenerId, Directions>();
  for (const listener of after) {
    byListener.set(listener.id, listener);
    for (const { socket } of listener.sockets) bySocket.set(socket, listener);
  }
  const left = new Set<PoolId>();
  const leads: SocketLead[] = [];
  for (const old of before) {
    const { id, protocol, sockets } = old;
    for (const { key, socket } of sockets) {
      // Clients of a socket that closes belong to its listener, wherever that is then.
      const now = bySocket.get(socket) ?? byListener.get(id) ?? old;
      if (sameWays(old, now)) continue;
      for (const pool of poolsOf(old)) left.add(pool);
      leads.push({ listener: id, protocol, key, directions: countedBy(old, now) });
    }
  }
  const isLast = ({ id, state }: PoolChange): boolean => left.has(id) && state === 'whole';
  const last = changesOf(ofPools, isLast).flatMap(({ pools: changes }) => changes);
  if (last.length === 0) return [...ofPools];
  const first = changesOf(ofPools, (change) => !isLast(change));
  return [...first, { kind: 'switch', pools: last, leads }];
}

/** Whether clients go to the same pools by the same rules, wherever they are counted. */
function sameWays(a: Directions, b: Directions): boolean {
  return (
    a.pool === b.pool &&
    a.routes.length === b.routes.length &&
    a.routes.every(({ pool, conditions }, index) => {
      const other = b.routes[index];
      return pool === other?.pool && sameValue(conditions, other.conditions);
    })
  );
}

/** Sessions stay those of the listener at which they came, and count where it counts. */
function countedBy({ series }: Directions, { pool, routes }: Directions): Directions {
  return { pool, routes: routes.map((route) => ({ ...route, series })), series };
}

function changesOf(
  parts: readonly PlanPart[],
  which: (change: PoolChange) => boolean,
): Extract<PlanPart, { kind: 'pools' }>[] {
  return parts.flatMap((part) => {
    const pools = part.kind === 'pools' ? part.pools.filter(which) : [];
    return pools.length === 0 ? [] : [{ kind: 'pools', pools }];
  });
}

export function poolPartsBetween(
  before: readonly PoolPlan[],
  after: readonly PoolPlan[],
): readonly PlanPart[] {
  const old = byId(before);
  return poolParts(after.flatMap((pool) => poolChanges(old.get(pool.id) ?? null, pool)));
}

/** The change of one pool, in pieces; none where nothing differs. */
function poolChanges(before: PoolPlan | null, after: PoolPlan): readonly Piece[] {
  const { backends, ...pool } = after;
  const { gone, changed } = differences(before?.backends ?? [], backends);
  const isSettled = before !== null && samePool(before, pool);
  if (isSettled && gone.length === 0 && changed.length === 0) return [];
  const unchanged = (backends.length - changed.length) * UNCHANGED_SHARE;
  const slices = changed.length === 0 ? [[]] : cut(changed, BACKENDS_PER_PART);
  return slices.map((slice, index) => {
    const isLast = index === slices.length - 1;
    return {
      change: {
        ...pool,
        gone: index === 0 ? gone : [],
        backends: slice,
        state: isLast ? 'whole' : 'more follows',
      },
      work: slice.length + (isLast ? WORK_PER_POOL + unchanged : 0),
    };
  });
}

interface Differences {
  readonly gone: readonly BackendId[];
  readonly changed: readonly BackendPlan[];
}

function differences(before: readonly BackendPlan[], after: readonly BackendPlan[]): Differences {
  const isPlaced = (backend: BackendPlan, index: number): boolean => {
    const known = before[index];
    return known !== undefined && known.id === backend.id && isOne(known, backend);
  };
  // Mostly no backend comes or goes: then thousands need not be looked up by their numbers.
  if (before.length === after.length && after.every(isPlaced)) {
    return { gone: [], changed: after.filter((one, index) => !sameBackend(before[index], one)) };
  }
  const old = new Map(before.map((backend) => [backend.id, backend]));
  const gone = new Set<BackendId>(old.keys());
  const changed: BackendPlan[] = [];
  for (const backend of after) {
    const known = old.get(backend.id);
    const isSame = known !== undefined && isOne(known, backend);
    if (isSame) gone.delete(backend.id);
    if (!isSame || !sameBackend(known, backend)) changed.push(backend);
  }
  return { gone: [...gone], changed };
}

interface Piece {
  readonly change: PoolChange;
  /** In changed backends. */
  readonly work: number;
}

function poolParts(pieces: readonly Piece[]): PlanPart[] {
  const parts: PlanPart[] = [];
  let pools: PoolChange[] = [];
  let work = 0;
  for (const piece of pieces) {
    if (pools.length > 0 && work + piece.work > BACKENDS_PER_PART) {
      parts.push({ kind: 'pools', pools });
      pools = [];
      work = 0;
    }
    pools.push(piece.change);
    work += piece.work;
  }
  return pools.length === 0 ? parts : [...parts, { kind: 'pools', pools }];
}

/** A row may be another backend's by now. An entry has one endpoint for all its life. */
function isOne(a: BackendPlan, b: BackendPlan): boolean {
  return a.endpoint === b.endpoint && a.name === b.name;
}

function sameBackend(a: BackendPlan | undefined, b: BackendPlan): boolean {
  return (
    a?.weight === b.weight &&
    a.rank === b.rank &&
    a.draining === b.draining &&
    a.yielding === b.yielding
  );
}

function samePool(before: PoolPlan, pool: Omit<PoolPlan, 'backends'>): boolean {
  const { backends: _, ...old } = before;
  return sameValue(old, pool);
}

/** Sockets by their keys: what a worker knows of a socket that is open does not matter any more. */
function sameListener(before: ListenerPlan | undefined, after: ListenerPlan): boolean {
  if (before === undefined) return false;
  const { sockets, ...rest } = after;
  const { sockets: oldSockets, ...old } = before;
  return (
    sockets.length === oldSockets.length &&
    sockets.every(({ key }, index) => oldSockets[index]?.key === key) &&
    sameValue(old, rest)
  );
}

function byId<Thing extends { readonly id: unknown }>(
  things: readonly Thing[],
): Map<Thing['id'], Thing> {
  return new Map(things.map((thing) => [thing.id, thing]));
}

function cut<Thing>(things: readonly Thing[], size: number): readonly (readonly Thing[])[] {
  return Array.from({ length: Math.ceil(things.length / size) }, (_, index) =>
    things.slice(index * size, (index + 1) * size),
  );
}

/** At least one in a part, whatever routes it has. */
function cutByRoutes(listeners: readonly ListenerPlan[]): readonly (readonly ListenerPlan[])[] {
  const parts: ListenerPlan[][] = [];
  let room = 0;
  for (const listener of listeners) {
    const work = 1 + listener.routes.length / ROUTES_PER_SOCKET;
    if (room < work) {
      parts.push([]);
      room = LISTENERS_PER_PART;
    }
    room -= work;
    parts.at(-1)?.push(listener);
  }
  return parts;
}
