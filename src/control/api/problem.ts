/** Why the control API does not do what it was asked for: problem documents, RFC 9457. */

import type { AdminAnswer } from '../../admin/routes.js';
import type { ReadValue } from '../../config/reading.js';
import { type Refusal, SUCCEEDED } from '../change_queue.js';
import type { Complaint } from './complaints.js';

export interface Problem {
  readonly status: number;
  /** One word or two, the same for all of a kind: the last part of `type`. */
  readonly kind: ProblemKind;
  /** A sentence on this case, with what helps. */
  readonly detail: string;
  /** Several: of a file, or of the fields of a request. */
  readonly problems?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES = {
  'bad-request': 'The request is not what the endpoint expects.',
  'no-token': 'The request has to bring the token.',
  'not-allowed': 'The caller may look, and change nothing.',
  'not-found': 'There is no such thing.',
  'wrong-method': 'The path does not take this method.',
  'too-many': 'Too many requests at once.',
  changed: 'Something has changed since it was looked at.',
  refused: 'The daemon refuses it as things are.',
  'handed-over': 'Another process serves since; nothing was done.',
  defect: 'A defect of sluice.',
} as const;
export type ProblemKind = keyof typeof TITLES;

export function badRequest(detail: string, complaints: readonly Complaint[] = []): Problem {
  const problems = complaints.map(({ field, problem }) =>
    field === '' ? problem : `${field}: ${problem}`,
  );
  const told = problems.length === 0 ? detail : `${detail}: ${problems.join('; ')}.`;
  return { status: 400, kind: 'bad-request', detail: told, problems };
}

/** What keeps a text from being read, in words. */
export function faultsOf({ faults }: Extract<ReadValue<unknown>, { readonly ok: false }>): string {
  return faults.map(({ problem }) => problem).join('; ');
}

export function notFound(detail: string): Problem {
  return { status: 404, kind: 'not-found', detail };
}

export function tooMany(detail: string): Problem {
  return { status: 503, kind: 'too-many', detail, headers: { 'retry-after': '1' } };
}

/**
 * It fits, and cannot be done as things are; nothing has changed. What was only meant for the
 * process that serves by now may be asked again as it is.
 */
export function refused(detail: string, problems: Refusal = []): Problem {
  if (problems === SUCCEEDED) return handedOver(detail);
  return { status: 409, kind: 'refused', detail, problems };
}

/** By a new connection it is asked of the process that serves. */
export function handedOver(detail: string): Problem {
  const headers = { 'retry-after': '1' };
  return { status: 503, kind: 'handed-over', detail, problems: SUCCEEDED, headers };
}

/** What the server itself answers, where it turns away. */
export function refusalOf(status: number, detail: string): AdminAnswer {
  if (status === 503) return problemAnswer(tooMany(detail));
  return problemAnswer({ status, kind: status === 500 ? 'defect' : 'bad-request', detail });
}

export function problemAnswer({
  status,
  kind,
  detail,
  problems = [],
  headers,
}: Problem): AdminAnswer {
  const document = {
    type: typeOf(kind),
    title: TITLES[kind],
    status,
    detail,
    ...(problems.length === 0 ? {} : { problems }),
  };
  return {
    status,
    type: 'application/problem+json',
    body: `${JSON.stringify(document, null, 2)}\n`,
    ...(headers === undefined ? {} : { headers }),
  };
}

/** Nothing was done, and the same may be asked again a moment later. */
export function isForLater(value: unknown): boolean {
  return isOf('handed-over', value) || isOf('too-many', value);
}

function isOf(kind: ProblemKind, value: unknown): boolean {
  return isProblem(value) && 'type' in value && value.type === typeOf(kind);
}

function typeOf(kind: ProblemKind): string {
  return `urn:sluice:problem:${kind}`;
}

/** What a client has parsed, if it is one. */
export function isProblem(value: unknown): value is Pick<Problem, 'detail' | 'problems'> {
  return typeof value === 'object' && value !== null && 'detail' in value && 'title' in value;
}
