/** What each path of the admin endpoint answers. Pure but for asking the views. */
import { dashboardHeaders, dashboardPage } from './dashboard/page.js';
import { toJson } from './json.js';
import { healthText } from './text.js';
import type { AdminViews, Verdict } from './views.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Question {
  readonly method: string;
  /** Path and query as in the request line. */
  readonly target: string;
  /** The Accept header; '' when there is none. */
  readonly accept: string;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const METHODS = 'GET, HEAD';

type Route = (views: AdminViews, query: URLSearchParams, accept: string) => Promise<Answer>;

const ROUTES: Readonly<Record<string, Route>> = {
  '/': async () => ({
    status: 200,
    type: 'text/html; charset=utf-8',
    body: dashboardPage(),
    headers: dashboardHeaders(),
  }),
  '/healthz': async (views) => verdict(views.live()),
  '/ready': async (views, query) => verdict(views.ready(query.get('listener'))),
  '/health': async (views, query, accept) =>
    wantsText(query, accept)
      ? { status: 200, type: TEXT, body: healthText(views.health()) }
      : { status: 200, type: JSON_TYPE, body: toJson(views.health()) },
  '/metrics': async (views) => ({
    status: 200,
    type: views.metricsType,
    body: await views.metrics(),
  }),
};

/** The answer to any request; HEAD gets that of GET, whose body the caller leaves out. */
export async function answer(views: AdminViews, question: Question): Promise<Answer> {
  const [path = '', query = ''] = question.target.split('?', 2);
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined) {
    const paths = Object.keys(ROUTES).join(' ');
    return { status: 404, type: TEXT, body: `There is nothing here. Paths: ${paths}\n` };
  }
  if (question.method !== 'GET' && question.method !== 'HEAD') {
    const body = 'This endpoint only shows; it changes nothing.\n';
    return { status: 405, type: TEXT, body, headers: { allow: METHODS } };
  }
  return route(views, new URLSearchParams(query), question.accept);
}

function verdict({ problems }: Verdict): Answer {
  return problems.length === 0
    ? { status: 200, type: TEXT, body: 'ok\n' }
    : { status: 503, type: TEXT, body: `${problems.join('\n')}\n` };
}

/**
 * `?format=text` or `?format=json` decides; else whoever names text/plain and not JSON gets text.
 */
function wantsText(query: URLSearchParams, accept: string): boolean {
  const format = query.get('format');
  if (format !== null) return format === 'text';
  return accept.includes('text/plain') && !accept.includes('json');
}
