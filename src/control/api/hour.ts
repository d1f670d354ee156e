/** `GET /v1/hour`: the last hour in figures, of the daemon or of one pool. */
import { ok } from '../../core/result.js';
import type { Daemon } from '../daemon.js';
import type { LastHour, Point } from '../last_hour.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { findPool } from './names.js';
import { figure, list, nullable, optional, record, type ShapeOf, text } from './shape.js';
import { timeText } from './status.js';

const quantile = (doc: string) => nullable(figure(`${doc}; null: none answered.`));

const POINT = record({
  time: text('At the end of its ten seconds, RFC 3339.'),
  sessions: figure('Sessions and flows then.'),
  accepted_per_second: figure('Of new ones.'),
  refused_per_second: figure('Of clients that were turned away.'),
  failed_per_second: figure('Of dials that failed, and of sessions that a backend reset.'),
  bytes_in_per_second: figure('From clients.'),
  bytes_out_per_second: figure('To clients.'),
  first_byte_median_ms: quantile('Median time to the first byte of a backend'),
  first_byte_p99_ms: quantile('The same of the slowest hundredth'),
});

export const HOUR = record({ items: list('A point every ten seconds, oldest first.', POINT) });

export interface HourDeps {
  readonly lastHour: LastHour;
  readonly daemon: Pick<Daemon, 'inventory'>;
}

export function hourEndpoint({ lastHour, daemon }: HourDeps): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/hour',
    summary: 'The last hour in figures.',
    may: 'look',
    query: { pool: optional(text('Only those of this pool; the first 64 pools have their own.')) },
    answer: HOUR,
    fails: [404],
    handle: ({ query: { pool = null } }) => {
      const points = lastHour.of(pool);
      if (points === null && pool !== null) {
        const found = findPool(daemon.inventory, pool);
        if (!found.ok) return found;
      }
      return ok({ value: { items: (points ?? []).map(shownPoint) } });
    },
  });
}

export function shownPoint(point: Point): ShapeOf<typeof POINT> {
  return {
    time: timeText(point.wallMs),
    sessions: point.sessions,
    accepted_per_second: point.acceptedPerSecond,
    refused_per_second: point.refusedPerSecond,
    failed_per_second: point.failedPerSecond,
    bytes_in_per_second: point.bytesInPerSecond,
    bytes_out_per_second: point.bytesOutPerSecond,
    first_byte_median_ms: point.medianMs,
    first_byte_p99_ms: point.p99Ms,
  };
}
