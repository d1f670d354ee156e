/** The lines of a view, filtered, folded and sorted: what the cursor moves over. Pure. */
import { BACKEND_STATES } from '../../core/backend_states.js';
import { rate, sum, volume } from './rates.js';
import type {
  LineTarget,
  ListedBackend,
  ListedListener,
  ListedPool,
  ListedSession,
  Look,
  State,
} from './state.js';

export type ListLine =
  | { readonly is: 'listener'; readonly key: string; readonly of: ListedListener }
  | {
      readonly is: 'pool';
      readonly key: string;
      readonly of: ListedPool;
      /** Milliseconds: the slowest last probe of its backends; null: none was probed. */
      readonly worstProbeMs: number | null;
      readonly fold: 'open' | 'folded';
    }
  | { readonly is: 'backend'; readonly key: string; readonly of: ListedBackend }
  | { readonly is: 'session'; readonly key: string; readonly of: ListedSession };

const POOL_STATES: readonly ListedPool['state'][] = [
  'down',
  'panic',
  'full',
  'unproven',
  'backup',
  'leaving',
  'up',
];
/** The order of a list sorted by state: what needs attention comes first. */
const TROUBLE: readonly ListedBackend['state'][] = [
  'down',
  'ejected',
  'unresolved',
  'full',
  'degraded',
  ...BACKEND_STATES,
];

export function lines(state: State): readonly ListLine[] {
  const { now, view } = state;
  if (now === null) return [];
  return view.is === 'overview' ? overview(state, now) : sessionLines(state, now);
}

/** The line that keys are about, and where it stands; -1: there is none. */
export function selection(state: State, all: readonly ListLine[] = lines(state)): number {
  const found = all.findIndex(({ key }) => key === state.selected);
  return found >= 0 ? found : Math.min(state.position, all.length - 1);
}

export function lineTargetOf(line: ListLine): LineTarget | null {
  switch (line.is) {
    case 'listener':
    case 'pool':
      return { kind: line.is, name: line.of.name };
    case 'backend':
      return { kind: 'backend', name: `${line.of.pool}/${line.of.name}` };
    case 'session':
      return null;
  }
}

function overview(state: State, now: Look): readonly ListLine[] {
  const listeners = now.listeners
    .filter((one) =>
      fits(state, [one.name, one.protocol, one.state, ...one.pools, ...one.addresses]),
    )
    .map((of): ListLine => ({ is: 'listener', key: `listener ${of.name}`, of }));
  const byPool = new Map<string, ListedBackend[]>(now.pools.map(({ name }) => [name, []]));
  for (const one of now.backends) byPool.get(one.pool)?.push(one);
  const pools = now.pools.map((of) => poolLines(state, of, byPool.get(of.name) ?? []));
  const shown = pools.filter((its) => its.length > 0);
  return [...sorted(state, listeners), ...sortedPools(state, shown).flat()];
}

/** A pool is there when it fits, with all of its backends, or one of them does, with those. */
function poolLines(
  state: State,
  of: ListedPool,
  backends: readonly ListedBackend[],
): readonly ListLine[] {
  const isOwn = fits(state, [of.name, of.state, of.policy]);
  const own = isOwn
    ? backends
    : backends.filter((one) =>
        fits(state, [`${one.pool}/${one.name}`, one.state, one.address, one.cause ?? '']),
      );
  if (!isOwn && own.length === 0) return [];
  const probes = backends.flatMap(({ last_probe: last }) => last?.latency_ms ?? []);
  const worstProbeMs = probes.length === 0 ? null : probes.reduce((a, b) => Math.max(a, b));
  const fold = state.folded.has(of.name) ? 'folded' : 'open';
  const pool: ListLine = { is: 'pool', key: `pool ${of.name}`, of, worstProbeMs, fold };
  if (fold === 'folded') return [pool];
  // An old and a new one may have the same name while the old one leaves.
  const all = own.map(
    (one): ListLine => ({
      is: 'backend',
      key: `backend ${one.pool}/${one.name} ${one.address}`,
      of: one,
    }),
  );
  return [pool, ...sorted(state, all)];
}

function sessionLines(state: State, now: Look): readonly ListLine[] {
  const { view } = state;
  const order = view.is === 'sessions' ? view.order : 'age';
  const by = {
    age: (one: ListedSession) => one.age_ms,
    bytes: volume,
    idle: (one: ListedSession) => one.idle_ms,
  }[order];
  return (now.sessions ?? [])
    .filter((one) => fits(state, [one.id, one.listener, one.client, place(one), one.state]))
    .toSorted((a, b) => by(b) - by(a))
    .map((of) => ({ is: 'session', key: `session ${of.id}`, of }));
}

export function place({ pool, backend }: Pick<ListedSession, 'pool' | 'backend'>): string {
  return `${pool}/${backend ?? '-'}`;
}

function fits({ filter }: State, words: readonly string[]): boolean {
  const sought = filter.toLowerCase();
  return sought === '' || words.some((word) => word.toLowerCase().includes(sought));
}

function sortedPools(state: State, pools: readonly (readonly ListLine[])[]) {
  return pools.toSorted(([a], [b]) =>
    a === undefined || b === undefined ? 0 : compare(state, a, b),
  );
}

function sorted(state: State, all: readonly ListLine[]): readonly ListLine[] {
  return all.toSorted((a, b) => compare(state, a, b));
}

/** By name, or the most first; equal ones stay in the order of the file, as the daemon has them. */
function compare(state: State, a: ListLine, b: ListLine): number {
  switch (state.sort) {
    case 'file':
      return 0;
    case 'name':
      return namesOf(a) < namesOf(b) ? -1 : 1;
    case 'state':
      return severity(a) - severity(b);
    case 'sessions':
      return load(b) - load(a);
    case 'refused':
      return (refusedRate(state, b) ?? 0) - (refusedRate(state, a) ?? 0);
    case 'probe':
      return (probeMs(b) ?? -1) - (probeMs(a) ?? -1);
  }
}

function severity(line: ListLine): number {
  if (line.is === 'pool') return POOL_STATES.indexOf(line.of.state);
  if (line.is === 'backend') return TROUBLE.indexOf(line.of.state);
  return line.is === 'listener' && line.of.state !== 'open' ? -1 : 0;
}

function namesOf(line: ListLine): string {
  return line.is === 'session' ? line.of.id : line.of.name;
}

function load(line: ListLine): number {
  if (line.is === 'backend') return line.of.active;
  return line.is === 'session' ? 0 : line.of.sessions;
}

/** Milliseconds; null: not probed. */
export function probeMs(line: ListLine): number | null {
  if (line.is === 'pool') return line.worstProbeMs;
  return line.is === 'backend' ? (line.of.last_probe?.latency_ms ?? null) : null;
}

/** Clients turned away per second, datagrams included; null: not known, or not counted there. */
export function refusedRate(state: State, line: ListLine): number | null {
  if (line.is === 'listener') {
    return rate(state, ({ listeners }) => {
      const found = listeners.find(({ name }) => name === line.of.name);
      return found === undefined ? undefined : sum([...found.refused, ...found.dropped]);
    });
  }
  if (line.is !== 'pool') return null;
  return rate(state, ({ pools }) => {
    const found = pools.find(({ name }) => name === line.of.name);
    return found === undefined ? undefined : sum(found.refused);
  });
}
