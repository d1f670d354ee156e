/** What each path of the admin endpoint answers. Pure but for asking the views. */
import { dashboardHeaders, dashboardPage } from './dashboard/page.js';
import { toJson } from './json.js';
import type { Follow } from './stream.js';
import { healthText } from './text.js';
import type { AdminViews, CheckView } from './views.js';

export interface AdminAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An answer without an end: it has no other body than what this writes. */
  readonly follow?: Follow;
}

export interface AdminQuestion {
  readonly method: string;
  /** Path and query as in the request line. */
  readonly target: string;
  /** The Accept header; '' when there is none. */
  readonly accept: string;
}

export type AdminReply =
  /** Made anew for each request, and small: it is answered whatever else goes on. */
  | { readonly kind: 'at-once'; readonly answer: () => AdminAnswer }
  /** Costs something: requests for the same `name` may share it. */
  | { readonly kind: 'page'; readonly name: string; readonly make: () => Promise<AdminAnswer> };

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const METHODS = 'GET, HEAD';

type Route = (views: AdminViews, query: URLSearchParams, accept: string) => AdminReply;

const ROUTES: Readonly<Record<string, Route>> = {
  '/': () => page('/', async () => ({ ...html(dashboardPage()), headers: dashboardHeaders() })),
  '/healthz': (views) => atOnce(() => verdict(views.live())),
  '/ready': (views, query) => atOnce(() => readiness(views, query.get('listener'))),
  '/health': (views, query, accept) =>
    wantsText(query, accept)
      ? page('/health text', async () => ok(TEXT, healthText(views.health())))
      : page('/health json', async () => ok(JSON_TYPE, toJson(views.health()))),
  '/metrics': (views) => page('/metrics', async () => ok(views.metricsType, await views.metrics())),
};

/** The reply to any request; HEAD gets that of GET, whose body the caller leaves out. */
export function reply(views: AdminViews, question: AdminQuestion): AdminReply {
  const [path = '', query = ''] = question.target.split('?', 2);
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (question.method !== 'GET' && question.method !== 'HEAD') {
    const body = 'This endpoint only shows; it changes nothing.\n';
    return atOnce(() => ({ status: 405, type: TEXT, body, headers: { allow: METHODS } }));
  }
  if (route === undefined) {
    const paths = Object.keys(ROUTES).join(' ');
    return atOnce(() => plainAnswer(404, `There is nothing here. Paths: ${paths}`));
  }
  return route(views, new URLSearchParams(query), question.accept);
}

/** An answer that is one sentence. */
export function plainAnswer(status: number, sentence: string): AdminAnswer {
  return { status, type: TEXT, body: `${sentence}\n` };
}

function atOnce(answer: () => AdminAnswer): AdminReply {
  return { kind: 'at-once', answer };
}

function page(name: string, make: () => Promise<AdminAnswer>): AdminReply {
  return { kind: 'page', name, make };
}

function ok(type: string, body: string): AdminAnswer {
  return { status: 200, type, body };
}

function html(body: string): AdminAnswer {
  return ok('text/html; charset=utf-8', body);
}

function readiness(views: AdminViews, listener: string | null): AdminAnswer {
  if (listener === '')
    return plainAnswer(400, 'Name a listener: /ready?listener=NAME, or ask /ready.');
  return verdict(views.ready(listener));
}

function verdict({ problems, notes = [], unknown }: CheckView): AdminAnswer {
  if (unknown === true) return plainAnswer(404, problems.join('\n'));
  return problems.length === 0
    ? ok(TEXT, `${['ok', ...notes].join('\n')}\n`)
    : plainAnswer(503, problems.join('\n'));
}

/**
 * `?format=text` or `?format=json` decides; else a request that names text/plain and not JSON gets
 * text.
 */
function wantsText(query: URLSearchParams, accept: string): boolean {
  const format = query.get('format');
  if (format !== null) return format === 'text';
  return accept.includes('text/plain') && !accept.includes('json');
}
