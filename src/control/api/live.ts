/**
 * `GET /v1/live`: what the dashboard shows, once or as server-sent events. All readers share what
 * is made; each gets the backends that it asks for, a screen of them, however many there are.
 */
import type {
  AdminViews,
  BackendGlance,
  GlanceView,
  PoolGlance,
  StatusView,
} from '../../admin/views.js';
import { ok } from '../../core/result.js';
import type { BackendTraffic } from '../backend_traffic.js';
import type { Override } from '../desired/override.js';
import { isRemarkable, remark } from '../remarks.js';
import { OVERRIDE, shownOverride } from './changing.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { BACKEND, backend, LISTENER, listener, POOL, pool } from './lists.js';
import { LiveStreams, type LiveStreamsDeps } from './live_streams.js';
import { backendsIn, WINDOW, type Window } from './live_window.js';
import { splitName } from './names.js';
import { figure, flag, list, nullable, record, type ShapeOf, text } from './shape.js';
import { MAX_SENTENCES, STATUS, statusOf } from './status.js';
import { traffic as shownTraffic, TRAFFIC } from './traffic.js';

/** Of listeners, pools and overrides: more is not looked at on a page. */
const MAX_SHOWN = 100;
/** Of listeners and pools, for screens that want the first of them: most have no more. */
const FIRST = 6;
/** A pool of more has no picture of each. */
const MAX_PICTURED = 24;

const STATES = list(
  'How many backends are so.',
  record({ state: text('A state.'), count: figure('How many.') }),
);

const POOL_LIVE = record({
  pool: POOL,
  listeners: list('Those that lead to it.', text('A name.')),
  states: STATES,
  backends: list(
    'Its backends in short; empty where there are many.',
    record({
      name: text('Of the backend.'),
      state: text('How it is.'),
      eligible: flag('It may get the next session.'),
      active: figure('Its sessions.'),
    }),
  ),
});

const COMMON = {
  status: STATUS,
  states: STATES,
  listeners: list('A hundred at most, those that are not open first.', LISTENER),
  pools: list(
    'A hundred at most; first those that do not serve as usual, in whole or in part.',
    POOL_LIVE,
  ),
  overrides: list('A hundred at most.', OVERRIDE),
};

export const LIVE = record({
  ...COMMON,
  backends: list('Those that are asked for.', BACKEND),
  matched: figure('As many as are meant, with those that are not on this screen.'),
  asked_pool: nullable(POOL_LIVE).describe('The pool that is asked for; null: there is none.'),
  asked_backend: nullable(record({ backend: BACKEND, traffic: TRAFFIC })).describe(
    'The backend that is asked for; null: there is none.',
  ),
});

export interface LiveDeps extends LiveStreamsDeps {
  readonly views: AdminViews;
  readonly overrides: () => readonly Override[];
  readonly traffic: (pool: string, backend: string) => BackendTraffic;
  readonly kept: { readonly trouble: string | null };
}

export function liveEndpoint(deps: LiveDeps): ApiEndpoint {
  const streams = new LiveStreams(deps, {
    commonOf: (view, lists) => commonOf(view, lists, deps),
    screenOf: (view, window) => screenOf(view, window, deps),
  });
  return endpoint({
    method: 'GET',
    path: '/live',
    summary:
      'What a screen shows. As server-sent events: `look` is this answer, again and again; ' +
      '`told` what has happened; `hour` the newest point of the last hour.',
    may: 'look',
    query: WINDOW,
    answer: LIVE,
    handle: ({ query }) => {
      const view = deps.views.glance();
      const common = commonOf(view, query.lists, deps);
      return ok({ value: { ...common, ...screenOf(view, query, deps) } });
    },
    follow: ({ query }) => ok(streams.follow(query)),
  });
}

function commonOf(view: GlanceView, lists: Window['lists'], deps: LiveDeps) {
  const all = deps.overrides();
  const most = lists === 'first' ? FIRST : MAX_SHOWN;
  return {
    status: statusOf(statusIn(view), deps),
    states: statesOf(...view.pools.map(({ backends }) => backends)),
    listeners: view.listeners
      .toSorted((a, b) => Number(a.state === 'open') - Number(b.state === 'open'))
      .slice(0, most)
      .map(listener),
    pools: view.pools
      .map((one) => ({ one, needs: trouble(one) }))
      .sort((a, b) => b.needs - a.needs)
      .slice(0, most)
      .map(({ one }) => poolLive(one, view)),
    overrides: all.slice(0, MAX_SHOWN).map(shownOverride),
  };
}

function screenOf(view: GlanceView, window: Window, { traffic }: Pick<LiveDeps, 'traffic'>) {
  const pool = view.pools.find(({ name }) => name === window.pool);
  const [poolName = '', backendName] = splitName(window.backend ?? '');
  const its = view.pools
    .find(({ name }) => name === poolName)
    ?.backends.find(({ name }) => name === backendName);
  return {
    ...backendsIn(view, window),
    asked_pool: pool === undefined ? null : poolLive(pool, view),
    asked_backend:
      its === undefined
        ? null
        : {
            backend: backend(poolName, its.view()),
            traffic: shownTraffic(traffic(poolName, its.name)),
          },
  };
}

function statesOf(...lists: readonly (readonly BackendGlance[])[]) {
  const counts = new Map<string, number>();
  for (const backends of lists) {
    for (const { state } of backends) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].map(([state, count]) => ({ state, count }));
}

/** As `views.status`, where every backend has been glanced at anyway. */
function statusIn(view: GlanceView): StatusView {
  const notes: string[] = [];
  let [backends, eligible, noted] = [0, 0, 0];
  for (const { name, backends: all } of view.pools) {
    backends += all.length;
    for (const its of all) {
      if (its.eligible) eligible++;
      if (!isRemarkable(its.state) || noted++ >= MAX_SENTENCES) continue;
      notes.push(remark(name, its.view()));
    }
  }
  const [listeners, pools] = [view.listeners.length, view.pools.length];
  return { ...view, listeners, pools, backends, eligible, notes, noted };
}

/** How much a pool needs a look: it does not serve as usual, or some of its backends do not. */
function trouble({ state, backends }: PoolGlance): number {
  if (state !== 'up') return 2;
  return Number(backends.some((its) => isRemarkable(its.state)));
}

function poolLive(
  one: PoolGlance,
  { listeners }: Pick<GlanceView, 'listeners'>,
): ShapeOf<typeof POOL_LIVE> {
  const pictured = one.backends.length <= MAX_PICTURED ? one.backends : [];
  return {
    pool: pool(one.summary()),
    listeners: listeners.filter((its) => its.pools.includes(one.name)).map(({ name }) => name),
    states: statesOf(one.backends),
    backends: pictured.map(({ name, state, eligible, active }) => {
      return { name, state, eligible, active };
    }),
  };
}
