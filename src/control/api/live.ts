/**
 * `GET /v1/live`: what the dashboard shows, once or as server-sent events. All who look share what
 * is made; each gets the backends that it asks for, a screen of them, however many there are.
 */
import type { AdminViews, HealthView, PoolSummary, StatusView } from '../../admin/views.js';
import { ok } from '../../core/result.js';
import type { Override } from '../desired/override.js';
import { isRemarkable, remark } from '../remarks.js';
import { OVERRIDE, shownOverride } from './changing.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { BACKEND, LISTENER, listener, POOL, pool } from './lists.js';
import { LiveStreams, type LiveStreamsDeps } from './live_streams.js';
import { backendsIn, WINDOW } from './live_window.js';
import { figure, flag, list, record, type ShapeOf, text } from './shape.js';
import { MAX_SENTENCES, STATUS, statusOf } from './status.js';

/** Of listeners, pools and overrides: more is not looked at on a page. */
const MAX_SHOWN = 100;
/** A pool of more has no picture of each. */
const MAX_PICTURED = 24;

const POOL_LIVE = record({
  pool: POOL,
  listeners: list('Those that lead to it.', text('A name.')),
  states: list(
    'How many of its backends are so.',
    record({ state: text('A state.'), count: figure('How many.') }),
  ),
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
  listeners: list('A hundred at most.', LISTENER),
  pools: list('A hundred at most, those that do not serve as usual first.', POOL_LIVE),
  overrides: list('A hundred at most.', OVERRIDE),
};

export const LIVE = record({
  ...COMMON,
  backends: list('Those that are asked for.', BACKEND),
  matched: figure('As many as are meant, with those that are not on this screen.'),
});

export interface LiveDeps extends LiveStreamsDeps {
  readonly views: AdminViews;
  readonly overrides: () => readonly Override[];
  readonly kept: { readonly trouble: string | null };
}

export function liveEndpoint(deps: LiveDeps): ApiEndpoint {
  const streams = new LiveStreams(deps, (view) => commonOf(view, deps));
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
      const view = deps.views.health();
      return ok({ value: { ...commonOf(view, deps), ...backendsIn(view, query) } });
    },
    follow: ({ query }) => ok(streams.follow(query)),
  });
}

function commonOf(view: HealthView, deps: LiveDeps) {
  const all = deps.overrides();
  return {
    status: statusOf(statusIn(view), deps),
    listeners: view.listeners.slice(0, MAX_SHOWN).map(listener),
    pools: view.pools
      .toSorted((a, b) => Number(a.state === 'up') - Number(b.state === 'up'))
      .slice(0, MAX_SHOWN)
      .map((one) => poolLive(one, view)),
    overrides: all.slice(0, MAX_SHOWN).map(shownOverride),
  };
}

/** As `views.status`, where every backend has been looked at anyway. */
function statusIn(view: HealthView): StatusView {
  const all = view.pools.flatMap(({ name, backends }) => backends.map((its) => ({ name, its })));
  const noted = all.filter(({ its }) => isRemarkable(its.state));
  return {
    ...view,
    listeners: view.listeners.length,
    pools: view.pools.length,
    backends: all.length,
    eligible: all.filter(({ its }) => its.eligible).length,
    notes: noted.slice(0, MAX_SENTENCES).map(({ name, its }) => remark(name, its)),
    noted: noted.length,
  };
}

function summaryOf({ backends, ...pool }: HealthView['pools'][number]): PoolSummary {
  return {
    ...pool,
    sessions: backends.reduce((sum, { active }) => sum + active, 0),
    backends: backends.length,
    eligible: backends.filter(({ eligible }) => eligible).length,
  };
}

function poolLive(
  one: HealthView['pools'][number],
  { listeners }: HealthView,
): ShapeOf<typeof POOL_LIVE> {
  const counts = new Map<string, number>();
  for (const { state } of one.backends) counts.set(state, (counts.get(state) ?? 0) + 1);
  const pictured = one.backends.length <= MAX_PICTURED ? one.backends : [];
  return {
    pool: pool(summaryOf(one)),
    listeners: listeners.filter((its) => its.pools.includes(one.name)).map(({ name }) => name),
    states: [...counts].map(([state, count]) => ({ state, count })),
    backends: pictured.map(({ name, state, eligible, active }) => {
      return { name, state, eligible, active };
    }),
  };
}
