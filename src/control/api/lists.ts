/** `GET /v1/listeners`, `/v1/pools` and `/v1/backends`: as in /health, in lists. */
import type {
  BackendView,
  CountView,
  Evenness,
  ListenerView,
  PoolSummary,
  Spread,
} from '../../admin/views.js';
import { BACKEND_STATES } from '../../core/backend_states.js';
import { err, ok, type Result } from '../../core/result.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { findBackend, findPool, nothingNamed, splitName } from './names.js';
import type { Problem } from './problem.js';
import {
  figure,
  flag,
  list,
  nullable,
  oneOf,
  optional,
  page,
  record,
  type ShapeOf,
  text,
  whole,
} from './shape.js';
import { timeText } from './status.js';

const USUAL_LIMIT = 1_000;
const MAX_LIMIT = 10_000;

const COUNTS = list(
  'By reason, the most frequent first.',
  record({ reason: text('One word.'), count: figure('How many.') }),
);
const SPREAD = nullable(
  record({
    greatest: figure('At the backend that has most.'),
    median: figure('At the one in the middle.'),
    backend: text('Which one has most.'),
  }),
);
const EVENNESS = record({
  load: SPREAD,
  first_byte_ms: SPREAD,
  failures: SPREAD,
}).describe(
  'Over the backends that serve: sessions per unit of weight; median first byte, and share of dials ' +
    'and sessions that failed, of the last half minute. null: fewer than two have any.',
);
const since = text('Since when, RFC 3339.');
const reason = text('Why, in a sentence; may be "".', 5_000);

export const LISTENER = record({
  name: text('Of the listener.'),
  protocol: oneOf('What it listens for.', ['tcp', 'udp']),
  addresses: list('Where, with the real ports.', text('An address.')),
  pool: text('Where those go that no route takes; empty: they are refused.'),
  pools: list('All pools that it may lead to.', text('Its name.')),
  state: oneOf('How it is.', ['open', 'full', 'failed', 'closing']),
  reason,
  since,
  sessions: figure('Sessions and flows now.'),
  max_sessions: figure('As many as it may have.'),
  refused: COUNTS,
  dropped: COUNTS,
});

export const POOL = record({
  name: text('Of the pool.'),
  policy: text('How it chooses.'),
  probe: text('How its backends are probed.'),
  state: oneOf('How it is.', ['up', 'backup', 'panic', 'full', 'unproven', 'down', 'leaving']),
  reason,
  since,
  sessions: figure('At its backends now.'),
  backends: figure('How many it has.'),
  eligible: figure('Of them, those that may get the next session.'),
  queue_length: figure('Sessions that wait for a place.'),
  queue_size: figure('As many as may; 0: none.'),
  refused: COUNTS,
  evenness: EVENNESS,
});

export const BACKEND = record({
  pool: text('Its pool.'),
  name: text('Of the backend.'),
  address: text('Where it is.'),
  state: oneOf('How it is, what counts most.', BACKEND_STATES),
  eligible: flag('It may get the next session.'),
  cause: nullable(text('Why not, in one word; null: it may.')),
  reason,
  since,
  active: figure('Sessions and flows now.'),
  max_connections: figure('As many as it may have now; 0: any number.'),
  weight: figure('As configured.'),
  weight_effective: figure('As it counts now.'),
  backup: flag('Used when no other is eligible.'),
  last_probe: nullable(
    record({
      result: oneOf('What came of it.', ['passed', 'standby', 'failed']),
      at: text('When, RFC 3339.'),
      latency_ms: figure('How long it took.'),
      detail: text('For people; may be "".', 5_000),
    }),
  ),
});

export const LISTENERS = page(LISTENER);
export const POOLS = page(POOL);
export const BACKENDS = page(BACKEND);

type Deps = Pick<ApiDeps, 'views' | 'daemon'>;

export function listEndpoints(deps: Deps): readonly ApiEndpoint[] {
  return [listenersEndpoint(deps), poolsEndpoint(deps), backendsEndpoint(deps)];
}

function listenersEndpoint({ views }: Deps): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/listeners',
    summary: 'Every listener.',
    may: 'look',
    answer: LISTENERS,
    handle: () => ok({ value: { items: views.listeners().map(listener), next: null } }),
  });
}

function poolsEndpoint({ views }: Deps): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/pools',
    summary: 'Every pool.',
    may: 'look',
    answer: POOLS,
    handle: () => ok({ value: { items: views.poolSummaries().map(pool), next: null } }),
  });
}

function backendsEndpoint({ views, daemon }: Deps): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/backends',
    summary: 'Backends, those that leave and those whose names have no address included.',
    may: 'look',
    query: {
      pool: optional(text('Only those of this pool.')),
      backend: optional(text('Only this one, `POOL/BACKEND`.')),
      limit: optional(whole('In one answer; 1000 if nothing is said.', 1, MAX_LIMIT)),
      cursor: optional(text('`next` of the page before.')),
    },
    answer: BACKENDS,
    fails: [404],
    handle: ({ query: { pool: asked, backend: one, limit = USUAL_LIMIT, cursor } }) => {
      if (asked !== undefined) {
        const found = findPool(daemon.inventory, asked);
        if (!found.ok) return found;
      }
      const [poolOfOne] = one === undefined ? [] : splitName(one);
      const all = views.backends(asked ?? poolOfOne ?? null).flatMap(({ pool: its, backends }) =>
        backends.map(({ name, view }): Listed => {
          return { name: `${its}/${name}`, look: () => backend(its, view()) };
        }),
      );
      if (one !== undefined) return single(all, one, daemon);
      const from = startOf(all, cursor);
      if (!from.ok) return from;
      const items = all.slice(from.value, from.value + limit);
      const last = items.at(-1);
      const isMore = last !== undefined && from.value + limit < all.length;
      const next = isMore ? last.name : null;
      return ok({ value: { items: items.map(({ look }) => look()), next } });
    },
  });
}

type Backend = ShapeOf<typeof BACKEND>;

/** Of thousands only those of the page are looked at. */
interface Listed {
  /** `POOL/BACKEND` */
  readonly name: string;
  readonly look: () => Backend;
}

function single(all: readonly Listed[], wanted: string, daemon: Deps['daemon']) {
  const items = all.filter(({ name }) => name === wanted).map(({ look }) => look());
  if (items.length > 0) return ok({ value: { items, next: null } });
  const found = findBackend(daemon.inventory, wanted);
  return found.ok ? ok({ value: { items, next: null } }) : found;
}

function startOf(all: readonly Listed[], cursor: string | undefined): Result<number, Problem> {
  if (cursor === undefined) return ok(0);
  const at = all.findLastIndex(({ name }) => name === cursor);
  if (at >= 0) return ok(at + 1);
  return err(nothingNamed('backend', cursor, [], 'the page cannot go on behind it, for '));
}

export function listener(view: ListenerView): ShapeOf<typeof LISTENER> {
  const { name, protocol, addresses, pool: its, pools, state, reason: why, sessions } = view;
  return {
    name,
    protocol,
    addresses: [...addresses],
    pool: its,
    pools,
    state,
    reason: why,
    sessions,
    since: timeText(view.sinceWallMs),
    max_sessions: view.maxSessions,
    refused: counts(view.refused),
    dropped: counts(view.dropped),
  };
}

export function pool(view: PoolSummary): ShapeOf<typeof POOL> {
  const { name, policy, probe, state, reason: why, queueLength, queueSize } = view;
  return {
    name,
    policy,
    probe,
    state,
    reason: why,
    since: timeText(view.sinceWallMs),
    sessions: view.sessions,
    backends: view.backends,
    eligible: view.eligible,
    queue_length: queueLength,
    queue_size: queueSize,
    refused: counts(view.refused),
    evenness: evenness(view.evenness),
  };
}

function evenness({ load, firstByteMs, failures }: Evenness): ShapeOf<typeof EVENNESS> {
  return {
    load: spread(load),
    first_byte_ms: spread(firstByteMs),
    failures: spread(failures),
  };
}

function spread(view: Spread | null): ShapeOf<typeof SPREAD> {
  if (view === null) return null;
  const { greatest, median, backend: whose } = view;
  return { greatest, median, backend: whose };
}

export function backend(its: string, view: BackendView): Backend {
  const { name, address, state, eligible, cause, reason: why, active, weight, backup } = view;
  const last = view.lastProbe;
  return {
    pool: its,
    name,
    address,
    state,
    eligible,
    cause,
    reason: why,
    since: timeText(view.sinceWallMs),
    active,
    max_connections: view.maxConnections,
    weight,
    weight_effective: view.weightEffective,
    backup,
    last_probe:
      last === null
        ? null
        : {
            result: last.result,
            at: timeText(last.atWallMs),
            latency_ms: last.latencyMs,
            detail: last.detail,
          },
  };
}

function counts(views: readonly CountView[]): ShapeOf<typeof COUNTS> {
  return views.map(({ reason: why, count }) => ({ reason: why, count }));
}
