/**
 * An endpoint of the control API is one declaration: its method and path, what a request has to
 * look like, what it answers, which right it takes, and the handler. The router checks by it, and
 * the OpenAPI document is written from it.
 */
import type { Follow } from '../../admin/stream.js';
import type { Result } from '../../core/result.js';
import type { Caller, Right } from './caller.js';
import type { Problem } from './problem.js';
import { record, type Shape, type ShapeOf, type Shapes } from './shape.js';

/** What an endpoint answers beside the value. */
export interface Answered<T> {
  readonly value: T;
  /** Of what was looked at, or changed. */
  readonly etag?: string;
}

/** The same, written already: as `JSON.stringify` would, with two spaces. */
export interface Written {
  readonly json: string;
}

export interface Asked<Query, Body> {
  readonly query: Query;
  readonly body: Body;
  /** LOOKER where nothing is changed. */
  readonly caller: Caller;
  /** The If-Match header; null: none. */
  readonly ifMatch: string | null;
  /** The Last-Event-ID header: where a stream was torn off; null: none. */
  readonly lastEventId: string | null;
}

/** 404: what a request names is not there; 409: refused as things are. */
export type Failure = 404 | 409;

export type ApiResult<T> = Result<Answered<T>, Problem>;
export type Outcome<T> = ApiResult<T> | Result<Written, Problem>;

interface Declaration<Query extends Shapes, Body extends Shapes, Answer> {
  readonly method: 'GET' | 'POST';
  /** Below `/v1`. */
  readonly path: string;
  /** One sentence. */
  readonly summary: string;
  readonly may: Right;
  readonly query?: Query;
  /** Of a POST. */
  readonly body?: Body;
  readonly answer: Shape<Answer>;
  /** Why its handler may not do what fits. */
  readonly fails?: readonly Failure[];
  /** What its answer has the ETag of. */
  readonly tagged?: 'overrides';
  /** A stream that was torn off goes on behind the event of Last-Event-ID. */
  readonly resumes?: 'behind-an-event';
  readonly handle: (
    asked: Asked<
      ShapeOf<ReturnType<typeof record<Query>>>,
      ShapeOf<ReturnType<typeof record<Body>>>
    >,
  ) => Outcome<Answer> | Promise<Outcome<Answer>>;
  /** As server-sent events, for clients that accept them. */
  readonly follow?: (
    asked: Asked<
      ShapeOf<ReturnType<typeof record<Query>>>,
      ShapeOf<ReturnType<typeof record<Body>>>
    >,
  ) => Result<Follow, Problem>;
}

/** An endpoint as the router has it: what its handler gets was checked by `query` and `body`. */
export interface ApiEndpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly may: Right;
  readonly queryFields: Shapes;
  readonly query: Shape<unknown>;
  readonly body: Shape<unknown> | null;
  readonly answer: Shape<unknown>;
  readonly fails: readonly Failure[];
  readonly isTagged: boolean;
  readonly isResumed: boolean;
  readonly handle: (asked: Asked<unknown, unknown>) => Outcome<unknown> | Promise<Outcome<unknown>>;
  /** null: it has an end. */
  readonly follow: ((asked: Asked<unknown, unknown>) => Result<Follow, Problem>) | null;
}

const NO_FIELDS = {};

type NoFields = Readonly<Record<never, never>>;

export function endpoint<Answer, Query extends Shapes = NoFields, Body extends Shapes = NoFields>(
  declared: Declaration<Query, Body, Answer>,
): ApiEndpoint {
  const { method, path, summary, may, query, body, answer, handle, follow } = declared;
  const { fails = [], tagged, resumes } = declared;
  return {
    method,
    path,
    summary,
    may,
    queryFields: query ?? NO_FIELDS,
    query: record(query ?? NO_FIELDS),
    body: method === 'POST' ? record(body ?? NO_FIELDS) : null,
    answer,
    fails,
    isTagged: tagged !== undefined,
    isResumed: resumes !== undefined,
    // The router has read both by the very shapes that type them.
    handle: (asked) => handle(asked as Parameters<typeof handle>[0]),
    follow: follow === undefined ? null : (asked) => follow(asked as Parameters<typeof handle>[0]),
  };
}
