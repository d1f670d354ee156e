/** `GET /v1/discovery`: the sources of backends, what came last, and what is held back. */
import { ok } from '../../core/result.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { figure, list, nullable, oneOf, page, record, text } from './shape.js';
import { timeText } from './status.js';

/** A file has sources by the tens. */
const MAX_SOURCES = 10_000;

export const SOURCE = record({
  pool: text('The pool that it is for.'),
  source: text('Which source.', 4_000),
  state: oneOf(
    'What its newest answer is worth; but for good and contradicted, nothing was changed by it.',
    ['good', 'asking', 'failed', 'empty', 'suspicious', 'contradicted'],
  ),
  reason: text('Why; "" where the state says all.', 10_000),
  since: nullable(
    text('Since when it is so, RFC 3339; null: it is good, or has not answered yet.'),
  ),
  counted: nullable(text('When an answer counted last; null: not since the start.')),
  next: nullable(text('When it is asked next; null: it is being asked.')),
  members: figure('How many backends it leads to.'),
  held: list(
    'Backends that it names no more, and that stay because their probes pass.',
    text('A name.', 4_000),
  ),
});

export const DISCOVERY = page(SOURCE);

export function discoveryEndpoint({ views }: Pick<ApiDeps, 'views'>): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/discovery',
    summary: 'The sources of backends: what came last, when, and what is held back and why.',
    may: 'look',
    answer: DISCOVERY,
    handle: () => {
      const items = views.sources().flatMap(({ pool, sources }) =>
        sources.map((one) => ({
          pool,
          source: one.name,
          state: one.state,
          reason: one.reason,
          since: timeOrNull(one.sinceWallMs),
          counted: timeOrNull(one.countedWallMs),
          next: timeOrNull(one.nextWallMs),
          members: one.members,
          held: one.held,
        })),
      );
      return ok({ value: { items: items.slice(0, MAX_SOURCES), next: null } });
    },
  });
}

function timeOrNull(wallMs: number | null): string | null {
  return wallMs === null ? null : timeText(wallMs);
}
