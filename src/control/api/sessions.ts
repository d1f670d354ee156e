/** `GET /v1/sessions` and `POST /v1/kill`: TCP sessions and UDP flows of all workers. */
import {
  MAX_SESSIONS_LISTED,
  SESSION_SORTS,
  type SessionFilter,
  type SessionPlace,
  type SessionSort,
} from '../../core/questions.js';
import { err, ok, type Result } from '../../core/result.js';
import { killSessions, listSessions } from '../session_list.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { badRequest, handedOver, notFound, type Problem } from './problem.js';
import { FILTER, filterOf } from './session_filter.js';
import { sessionsText } from './session_text.js';
import { duration, figure, list, nullable, oneOf, optional, record, text, whole } from './shape.js';

const USUAL_LIMIT = 100;
const MAX_SPREAD_MS = 24 * 3_600_000;

const SESSION = record({
  id: text('Its name, as in its access line.'),
  listener: text('Where it came in.'),
  pool: text('The pool of its last choice.'),
  backend: nullable(text('Where it goes; null: nowhere now.')),
  client: text('The address of its client; behind a trusted proxy what its header says.'),
  state: text(
    'What it does: `relaying`, `dialling`, `queued`, `unproven`, `draining`; `adrift`: a flow without a backend …',
  ),
  age_ms: figure('Since it was accepted.'),
  idle_ms: figure('Since a byte moved.'),
  bytes_in: figure('From the client.'),
  bytes_out: figure('To the client.'),
});

const missing = list(
  'What the answer lacks: a sentence for each worker that did not answer in time.',
  text('A sentence.'),
);

const elsewhere = list(
  'After an upgrade: a sentence for each process before this one that still finishes sessions. ' +
    'They are not listed here, and not counted.',
  text('A sentence.'),
);

export const SESSIONS = record({
  items: list('In the order that was asked for.', SESSION),
  next: nullable(text('What `cursor` of the next request is; null: these were the last.')),
  missing,
  elsewhere,
});

export const KILLED = record({
  killed: figure('How many were asked to end.'),
  missing,
  elsewhere,
});

export function sessionsEndpoint({ daemon }: Pick<ApiDeps, 'daemon'>): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/sessions',
    summary: 'Sessions and flows as they are now.',
    may: 'look',
    query: {
      ...FILTER,
      sort: optional(
        oneOf('The oldest, those with most bytes, or idle longest first.', SESSION_SORTS),
      ),
      limit: optional(
        whole('Sessions in one answer; 100 if nothing is said.', 1, MAX_SESSIONS_LISTED),
      ),
      cursor: optional(text('`next` of the page before, which was sorted alike.')),
    },
    answer: SESSIONS,
    fails: [404],
    handle: async ({ query: { sort = 'age', limit = USUAL_LIMIT, cursor, ...asked } }) => {
      const filter = filterOf(daemon.inventory, asked);
      if (!filter.ok) return filter;
      const after = placeAt(cursor, sort);
      if (!after.ok) return after;
      const query = { filter: filter.value, sort, limit, after: after.value };
      const page = await listSessions(daemon.inquiries, query);
      const next = page.next === null ? null : cursorAt(page.next, sort);
      const elsewhere = daemon.handover.elsewhere.remarks;
      const rest = { next, missing: page.missing, elsewhere };
      return ok({ json: sessionsText(page.rows, page.nowMs, rest) });
    },
  });
}

export function killEndpoint({
  daemon,
  log,
  upgrades,
}: Pick<ApiDeps, 'daemon' | 'log' | 'upgrades'>): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/kill',
    summary: 'Ends a session, or all that are meant.',
    may: 'change',
    body: {
      session: optional(text('The id of one; nothing else is said then.')),
      ...FILTER,
      spread: optional(
        duration('Their ends are spread over this; all at once if nothing is said.', MAX_SPREAD_MS),
      ),
    },
    answer: KILLED,
    fails: [404],
    handle: async ({ body: { session, spread = 0, ...asked }, caller }) => {
      // What is listed is of the process that serves, and so is what is ended.
      if (daemon.handover.isDone) return err(handedOver('Nothing is ended.'));
      const bounds = Object.keys(asked);
      if ((session === undefined) === (bounds.length === 0)) {
        const detail = 'Name either one session or what all of them have in common';
        return err(badRequest(`${detail} (listener, pool, backend, client, older, idle).`));
      }
      const filter = filterOf(daemon.inventory, asked);
      if (!filter.ok) return filter;
      const meant: SessionFilter = { ...filter.value, id: session ?? null };
      if (session === undefined) {
        upgrades.order({ kind: 'kill', asked, spanMs: spread, by: caller.name });
      }
      const value = await killSessions(daemon.inquiries, meant, spread);
      const elsewhere = daemon.handover.elsewhere.remarks;
      if (session !== undefined && value.killed === 0 && value.missing.length === 0) {
        const where = elsewhere.map((sentence) => `, or ${sentence}`).join('');
        return err(notFound(`There is no session ${session}; it may have ended already${where}.`));
      }
      const detail =
        session ?? bounds.map((name) => `${name} ${asked[name as keyof typeof asked]}`).join(', ');
      log.event('sessions-killed', {
        by: caller.name,
        sessions: value.killed,
        span_ms: spread,
        detail,
      });
      return ok({ value: { ...value, elsewhere } });
    },
  });
}

function cursorAt({ key, id }: SessionPlace, sort: SessionSort): string {
  return Buffer.from(JSON.stringify([sort, key, id])).toString('base64url');
}

function placeAt(
  cursor: string | undefined,
  sort: SessionSort,
): Result<SessionPlace | null, Problem> {
  if (cursor === undefined) return ok(null);
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(read)) {
      const [by, key, id] = read as readonly unknown[];
      if (by === sort && typeof key === 'number' && typeof id === 'string') return ok({ key, id });
    }
  } catch {
    // As below.
  }
  return err(badRequest('cursor: expected `next` of a page that was sorted alike.'));
}
