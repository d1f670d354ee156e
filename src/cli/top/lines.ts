/** The lines of a view, filtered, folded and sorted: what the cursor moves over. Pure. */
import { BACKEND_STATES } from '../../admin/views.js';
import { rate, sum, volume } from './rates.js';
import type { Backend, Listener, Look, Pool, Session, State, Target } from './state.js';

export type Line =
  | { readonly is: 'listener'; readonly key: string; readonly of: Listener }
  | {
      readonly is: 'pool';
      readonly key: string;
      readonly of: Pool;
      /** Milliseconds: the slowest last probe of its backends; null: none was probed. */
      readonly worstProbeMs: number | null;
      readonly fold: 'open' | 'folded';
    }
  | { readonly is: 'backend'; readonly key: string; readonly of: Backend }
  | { readonly is: 'session'; readonly key: string; readonly of: Session };

const POOL_STATES: readonly Pool['state'][] = [
  'down',
  'panic',
  'full',
  'unproven',
  'backup',
  'leaving',
  'up',
];
/** As they are looked at: what needs somebody comes first. */
const TROUBLE: readonly Backend['state'][] = [
  'down',
  'ejected',
  'unresolved',
  'full',
  'degraded',
  ...BACKEND_STATES,
];

export function lines(state: State): readonly Line[] {
  const { now, view } = state;
  if (now === null) return [];
  return view.is === 'overview' ? overview(state, now) : sessionLines(state, now);
}

/** The line that keys are about, and where it stands; -1: there is none. */
export function selection(state: State, all: readonly Line[] = lines(state)): number {
  const found = all.findIndex(({ key }) => key === state.selected);
  return found >= 0 ? found : Math.min(state.position, all.length - 1);
}

export function targetOf(line: Line): Target | null {
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

function overview(state: State, now: Look): readonly Line[] {
  const listeners = now.listeners
    .filter((one) =>
      fits(state, [one.name, one.protocol, one.state, ...one.pools, ...one.addresses]),
    )
    .map((of): Line => ({ is: 'listener', key: `listener ${of.name}`, of }));
  const byPool = new Map<string, Backend[]>(now.pools.map(({ name }) => [name, []]));
  for (const one of now.backends) byPool.get(one.pool)?.push(one);
  const pools = now.pools.map((of) => poolLines(state, of, byPool.get(of.name) ?? []));
  const shown = pools.filter((its) => its.length > 0);
  return [...sorted(state, listeners), ...sortedPools(state, shown).flat()];
}

/** A pool is there when it fits, with all of its backends, or one of them does, with those. */
function poolLines(state: State, of: Pool, backends: readonly Backend[]): readonly Line[] {
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
  const pool: Line = { is: 'pool', key: `pool ${of.name}`, of, worstProbeMs, fold };
  if (fold === 'folded') return [pool];
  // An old and a new one may have the same name while the old one leaves.
  const all = own.map(
    (one): Line => ({
      is: 'backend',
      key: `backend ${one.pool}/${one.name} ${one.address}`,
      of: one,
    }),
  );
  return [pool, ...sorted(state, all)];
}

function sessionLines(state: State, now: Look): readonly Line[] {
  const { view } = state;
  const order = view.is === 'sessions' ? view.order : 'age';
  const by = {
    age: (one: Session) => one.age_ms,
    bytes: volume,
    idle: (one: Session) => one.idle_ms,
  }[order];
  return (now.sessions ?? [])
    .filter((one) => fits(state, [one.id, one.listener, one.client, place(one), one.state]))
    .toSorted((a, b) => by(b) - by(a))
    .map((of) => ({ is: 'session', key: `session ${of.id}`, of }));
}

export function place({ pool, backend }: Pick<Session, 'pool' | 'backend'>): string {
  return `${pool}/${backend ?? '-'}`;
}

function fits({ filter }: State, words: readonly string[]): boolean {
  const sought = filter.toLowerCase();
  return sought === '' || words.some((word) => word.toLowerCase().includes(sought));
}

function sortedPools(state: State, pools: readonly (readonly Line[])[]) {
  return pools.toSorted(([a], [b]) =>
    a === undefined || b === undefined ? 0 : compare(state, a, b),
  );
}

function sorted(state: State, all: readonly Line[]): readonly Line[] {
  return all.toSorted((a, b) => compare(state, a, b));
}

/** The most first; equal ones stay as the daemon has them, which is the order of the file. */
function compare(state: State, a: Line, b: Line): number {
  switch (state.sort) {
    case 'name':
      return 0;
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

function severity(line: Line): number {
  if (line.is === 'pool') return POOL_STATES.indexOf(line.of.state);
  if (line.is === 'backend') return TROUBLE.indexOf(line.of.state);
  return line.is === 'listener' && line.of.state !== 'open' ? -1 : 0;
}

function load(line: Line): number {
  if (line.is === 'backend') return line.of.active;
  return line.is === 'session' ? 0 : line.of.sessions;
}

/** Milliseconds; null: not probed. */
export function probeMs(line: Line): number | null {
  if (line.is === 'pool') return line.worstProbeMs;
  return line.is === 'backend' ? (line.of.last_probe?.latency_ms ?? null) : null;
}

/** Clients turned away a second, datagrams included; null: not known, or not counted there. */
export function refusedRate(state: State, line: Line): number | null {
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
