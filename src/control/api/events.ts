/** `GET /v1/events` and `GET /v1/why`: what has happened lately, to all and to one backend. */
import { err, ok, type Result } from '../../core/result.js';
import { EVENTS, type EventName } from '../../observe/events.js';
import type { HistoryEntry, RecentEvent } from '../../observe/recent_events.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { EventStreams } from './event_stream.js';
import { BACKEND, backend as shownBackend } from './lists.js';
import { findBackend, nothingNamed, poolInstead, splitName } from './names.js';
import { type Problem, tooMany } from './problem.js';
import {
  anyFields,
  duration,
  figure,
  flag,
  list,
  nullable,
  optional,
  record,
  text,
  whole,
} from './shape.js';
import { timeText } from './status.js';
import { traffic as shownTraffic, TRAFFIC } from './traffic.js';

const USUAL_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
/** Longer than a request lasts, and shorter than anyone takes for an end. */
const MOST_WAIT_MS = 30_000;
const MOST_MS = 366 * 24 * 3_600_000;

export const EVENT_NAMES: readonly string[] = Object.keys(EVENTS);

export const EVENT = anyFields(
  'As in the log: `time`, `level`, `event`, its fields, `msg`, `remedy`; and `number`, which grows.',
);

export const EVENTS_PAGE = record({
  items: list('Oldest first.', EVENT),
  next: nullable(text('What `cursor` of the next request is; null: these were the last.')),
  last: text('The `cursor` with which to go on from here.'),
  lost: flag(
    'Some behind the cursor are forgotten already: they came faster than they were asked for.',
  ),
});

export const HISTORY = record({
  backend: BACKEND,
  traffic: TRAFFIC,
  history: list(
    'What was reported of it, oldest first: each change of state with its reason, and what led there.',
    record({
      time: text('When it was first reported, RFC 3339.'),
      last: text('When it was last reported.'),
      count: figure('How many times in a row.'),
      event: text('Its name, as in the log.'),
      level: text('As in the log.'),
      message: text('What that is.', 2_000),
      cause: nullable(text('Why, in one word.')),
      detail: nullable(text('Why, in words.', 5_000)),
      fields: anyFields('All fields of the last time.'),
    }),
  ),
});

type EventsDeps = Pick<ApiDeps, 'recent' | 'clock' | 'timers'>;

export function eventsEndpoint({ recent, clock, timers }: EventsDeps): ApiEndpoint {
  const streams = new EventStreams({ recent, timers }, shownEvent);
  return endpoint({
    method: 'GET',
    path: '/events',
    summary:
      'What has happened lately: the last events of each name. Without `since` and `cursor` the ' +
      'newest of them. As server-sent events what happens from now on, behind `cursor` or ' +
      'Last-Event-ID, or since.',
    may: 'look',
    query: {
      since: optional(duration('Only those that are not older.', MOST_MS)),
      event: optional(text('Only those of this name; `session` are access lines.')),
      limit: optional(whole('In one answer; 1000 if nothing is said.', 1, MAX_LIMIT)),
      wait: optional(
        duration('Where there is none, wait this long for the next one.', MOST_WAIT_MS),
      ),
      cursor: optional(whole('`next` of the page before.', 0, Number.MAX_SAFE_INTEGER)),
    },
    answer: EVENTS_PAGE,
    fails: [404],
    resumes: 'behind-an-event',
    handle: async ({ query: { since, event, limit = USUAL_LIMIT, cursor: behind, wait = 0 } }) => {
      const name = event === undefined ? ok(null) : eventNamed(event);
      if (!name.ok) return name;
      if (since === undefined && behind === undefined && wait === 0) {
        return ok({ value: newest(recent, name.value, limit) });
      }
      const cursor = behind ?? 0;
      const sinceWallMs = since === undefined ? 0 : clock.wallMs() - since;
      const wanted = { event: name.value, sinceWallMs, after: cursor, limit: limit + 1 };
      let found = recent.list(wanted);
      if (found.length === 0 && wait > 0) {
        const cancelled = await untilNext(recent, timers, name.value, wait);
        if (cancelled === 'crowded') return err(tooMany('As many wait for events as may.'));
        found = recent.list(wanted);
      }
      const lost = cursor > 0 && recent.hasForgotten(wanted);
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = found.length > limit && last !== undefined ? String(last.number) : null;
      return ok({
        value: { items: items.map(shownEvent), next, last: String(recent.last), lost },
      });
    },
    follow: ({ query: { since, event, cursor }, lastEventId }) => {
      const name = event === undefined ? ok(null) : eventNamed(event);
      if (!name.ok) return name;
      const torn = lastEventId !== null && /^\d{1,15}$/.test(lastEventId);
      const after = torn ? Number(lastEventId) : (cursor ?? null);
      const sinceWallMs = since === undefined ? null : clock.wallMs() - since;
      return ok(streams.follow({ event: name.value, after, sinceWallMs }));
    },
  });
}

function newest(recent: ApiDeps['recent'], event: EventName | null, limit: number) {
  const all = recent.list({ event, sinceWallMs: 0, after: 0, limit: Number.POSITIVE_INFINITY });
  const items = all.slice(-limit).map(shownEvent);
  return { items, next: null, last: String(recent.last), lost: false };
}

export type WhyDeps = Pick<ApiDeps, 'recent' | 'traffic'> & {
  readonly views: Pick<ApiDeps['views'], 'backends'>;
  readonly daemon: Pick<ApiDeps['daemon'], 'inventory'>;
};

export function whyEndpoint(deps: WhyDeps): ApiEndpoint {
  const { recent, traffic, views, daemon } = deps;
  return endpoint({
    method: 'GET',
    path: '/why',
    summary: 'How a backend is, what it has done so far, and how that came about.',
    may: 'look',
    query: { backend: text('`POOL/BACKEND`.') },
    answer: HISTORY,
    fails: [404],
    handle: ({ query }) => {
      const [pool = '', name] = splitName(query.backend);
      const [its] = views.backends(pool);
      if (its !== undefined && name === undefined) {
        const names = its.backends.map((one) => one.name);
        return err(poolInstead(pool, names));
      }
      const named = its?.backends.find((one) => one.name === name);
      if (named === undefined) {
        const found = findBackend(daemon.inventory, query.backend);
        return err(found.ok ? nothingNamed('backend', query.backend, []) : found.error);
      }
      const history = recent.historyOf(pool, named.name).map(shownEntry);
      const done = shownTraffic(traffic(pool, named.name));
      return ok({ value: { backend: shownBackend(pool, named.view()), traffic: done, history } });
    },
  });
}

/** Until something that is meant happens, or the time is over. */
function untilNext(
  recent: ApiDeps['recent'],
  timers: ApiDeps['timers'],
  event: EventName | null,
  waitMs: number,
): Promise<'over' | 'crowded'> {
  return new Promise((resolve) => {
    const timer = timers.after(waitMs, () => {
      cancel?.();
      resolve('over');
    });
    const cancel = recent.atNext(event, () => {
      timer.cancel();
      resolve('over');
    });
    if (cancel !== null) return;
    timer.cancel();
    resolve('crowded');
  });
}

export function eventNamed(name: string): Result<EventName, Problem> {
  if (Object.hasOwn(EVENTS, name)) return ok(name as EventName);
  return err(nothingNamed('event', name, EVENT_NAMES));
}

/** As the log writes it. */
export function shownEvent({ number, wallMs, event, fields }: RecentEvent) {
  const { level, message, remedy } = EVENTS[event];
  const help = remedy === '' ? {} : { remedy };
  return { number, time: timeText(wallMs), level, event, ...fields, msg: message, ...help };
}

function shownEntry({ first, last, count }: HistoryEntry) {
  const { event, fields } = last;
  const { level, message } = EVENTS[event];
  return {
    time: timeText(first.wallMs),
    last: timeText(last.wallMs),
    count,
    event,
    level,
    message,
    cause: word(fields['cause']),
    detail: word(fields['detail']),
    fields,
  };
}

function word(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
