/** Leads a request of the control API to its endpoint, through one gate. No sockets here. */
import type { Request } from '../../admin/request.js';
import type { AdminAnswer } from '../../admin/routes.js';
import { STREAM_TYPE, wantsStream } from '../../admin/stream.js';
import { bySimilarity, isSimilar } from '../../config/nearest.js';
import { quote } from '../../config/show.js';
import { err, ok, type Result } from '../../core/result.js';
import { type Caller, LOOKER } from './caller.js';
import type { ApiEndpoint, Asked, Outcome } from './endpoint.js';
import { openApi } from './open_api.js';
import { badRequest, notFound, type Problem, problemAnswer } from './problem.js';
import { checkShape, type Shape } from './shape.js';
import type { ApiTurns } from './turns.js';

export const PREFIX = '/v1';
/** Bytes of a body that an error repeats. */
const MAX_SHOWN = 20;
/** Of one endpoint that are kept; a target has 2 KiB at most. */
const MAX_QUERIES = 16;
const DOCUMENT_PATH = `${PREFIX}/openapi.json`;

/**
 * `who` asks the kernel, or a file: that is done only for requests that want to change something.
 */
export type Router = (request: Request, who: () => Caller) => AdminAnswer | Promise<AdminAnswer>;

export function createRouter(
  endpoints: readonly ApiEndpoint[],
  version: string,
  turns: ApiTurns,
): Router {
  let document: string | null = null;
  const places = placesOf(endpoints);
  const answer: Router = (request, who) => {
    const { target } = request;
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? '' : target.slice(mark + 1);
    if (path === DOCUMENT_PATH) {
      document ??= `${JSON.stringify(openApi(endpoints, version), null, 2)}\n`;
      return json(200, document, {});
    }
    const here = places.get(path);
    if (here === undefined) return problemAnswer(nothingAt(path, [...places.keys()]));
    const found = find(here, path, request.method);
    if (!found.ok) return problemAnswer(found.error);
    const asked = read(found.value, request, query, who);
    if (!asked.ok) return problemAnswer(asked.error);
    const { follow, handle } = found.value.endpoint;
    if (follow !== null && wantsStream(request.accept)) {
      const stream = follow(asked.value);
      if (!stream.ok) return problemAnswer(stream.error);
      return { status: 200, type: STREAM_TYPE, body: '', follow: stream.value };
    }
    const outcome = handle(asked.value);
    return outcome instanceof Promise ? outcome.then(answerOf) : answerOf(outcome);
  };
  return (request, who) =>
    turns.take() ? answer(request, who) : turns.next().then(() => answer(request, who));
}

function answerOf(outcome: Outcome<unknown>): AdminAnswer {
  if (!outcome.ok) return problemAnswer(outcome.error);
  const answered = outcome.value;
  if ('json' in answered) return json(200, `${answered.json}\n`, {});
  const { value, etag } = answered;
  return json(200, `${JSON.stringify(value, null, 2)}\n`, etag === undefined ? {} : { etag });
}

interface Place {
  readonly endpoint: ApiEndpoint;
  /** What was asked before, by its text: reading a query takes as long as some answers. */
  readonly queries: Map<string, unknown>;
}

/** Endpoints by their paths. */
function placesOf(endpoints: readonly ApiEndpoint[]): ReadonlyMap<string, readonly Place[]> {
  const places = new Map<string, Place[]>();
  for (const endpoint of endpoints) {
    const path = `${PREFIX}${endpoint.path}`;
    const place = { endpoint, queries: new Map() };
    places.set(path, [...(places.get(path) ?? []), place]);
  }
  return places;
}

function find(here: readonly Place[], path: string, method: string): Result<Place, Problem> {
  const asked = method === 'HEAD' ? 'GET' : method;
  const found = here.find(({ endpoint }) => endpoint.method === asked);
  if (found !== undefined) return ok(found);
  const allow = here.map(({ endpoint }) => endpoint.method).join(', ');
  const detail = `${path} takes ${allow}, and no ${method}.`;
  return err({ status: 405, kind: 'wrong-method', detail, headers: { allow } });
}

function nothingAt(path: string, known: readonly string[]): Problem {
  const near = bySimilarity(path, known).find((one) => isSimilar(path, one));
  const hint = near === undefined ? '' : ` did you mean ${near}?`;
  return notFound(`There is nothing at ${path};${hint} ${DOCUMENT_PATH} describes what there is.`);
}

/**
 * The request as the endpoint wants it, or why not; a caller that may not change anything is told
 * so first.
 */
function read(
  place: Place,
  request: Request,
  queryText: string,
  who: () => Caller,
): Result<Asked<unknown, unknown>, Problem> {
  const { may, body: bodyShape } = place.endpoint;
  const caller = may === 'change' ? who() : LOOKER;
  if (may === 'change' && caller.may !== 'change') {
    return err({ status: 403, kind: 'not-allowed', detail: `Not allowed: ${caller.why}.` });
  }
  const query = queryOf(place, queryText);
  if (!query.ok) return query;
  const ifMatch = request.headers.get('if-match') ?? null;
  const lastEventId = request.headers.get('last-event-id') ?? null;
  const body = bodyShape === null ? ok({}) : fittingBody(bodyShape, request);
  if (!body.ok) return body;
  return ok({ query: query.value, body: body.value, caller, ifMatch, lastEventId });
}

function queryOf({ endpoint, queries }: Place, text: string): Result<unknown, Problem> {
  const known = queries.get(text);
  if (known !== undefined) return ok(known);
  const words = wordsOf(text);
  if (!words.ok) return words;
  const query = checkShape(endpoint.query, words.value);
  if (!query.ok) return err(badRequest('The request does not fit', query.error));
  if (queries.size >= MAX_QUERIES) queries.clear();
  queries.set(text, query.value);
  return query;
}

function wordsOf(queryText: string): Result<object, Problem> {
  try {
    decodeURIComponent(queryText);
  } catch {
    return err(badRequest('The query is no percent-encoded UTF-8: a % of its own is written %25.'));
  }
  const words = new URLSearchParams(queryText);
  for (const name of words.keys()) {
    if (words.getAll(name).length > 1) {
      return err(badRequest(`The query has ${quote(name)} more than once: leave one of them.`));
    }
  }
  return ok(Object.fromEntries(words));
}

function fittingBody(shape: Shape<unknown>, request: Request): Result<unknown, Problem> {
  const parsed = bodyOf(request);
  if (!parsed.ok) return parsed;
  const body = checkShape(shape, parsed.value);
  return body.ok ? body : err(badRequest('The request does not fit', body.error));
}

function bodyOf({ body }: Request): Result<unknown, Problem> {
  if (body === null) {
    const detail = 'A body is sent with its Content-Length; in chunks it is not read.';
    return err({ status: 411, kind: 'bad-request', detail });
  }
  if (body.length === 0) return ok({});
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch {
    const start = quote(body.toString('latin1', 0, MAX_SHOWN).replace(/[^ -~]/g, '?'));
    return err(badRequest(`The body is no JSON in UTF-8; it begins with ${start}.`));
  }
}

function json(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): AdminAnswer {
  return { status, type: 'application/json; charset=utf-8', body, headers };
}
