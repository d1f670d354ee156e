/** What a backend has done so far, as answers have it. */
import type { BackendTraffic, Quantiles } from '../backend_traffic.js';
import { figure, list, nullable, record, type ShapeOf, text } from './shape.js';

const COUNTED = (doc: string) =>
  list(doc, record({ reason: text('One word.'), count: figure('How many.') }));
const QUANTILES = (doc: string) =>
  nullable(
    record({
      median_ms: figure('The median, in milliseconds.'),
      p99_ms: figure('The 99th percentile, in milliseconds.'),
    }).describe(doc),
  );

export const TRAFFIC = record({
  sessions: figure('Those that reached it so far, and those that it has now.'),
  retries: figure('Of them, those that had failed at another one first.'),
  bytes_in: figure('From clients.'),
  bytes_out: figure('To clients.'),
  failed_dials: COUNTED('Connections to it that failed, the most frequent reason first.'),
  ends: COUNTED('How its sessions have ended, the most frequent first.'),
  connect: QUANTILES('Until it is connected; null: never.'),
  first_byte: QUANTILES('Until its first byte; null: none came.'),
});

export function traffic(view: BackendTraffic): ShapeOf<typeof TRAFFIC> {
  return {
    sessions: view.sessions,
    retries: view.retries,
    bytes_in: view.bytesIn,
    bytes_out: view.bytesOut,
    failed_dials: view.failedDials,
    ends: view.ends,
    connect: quantiles(view.connect),
    first_byte: quantiles(view.firstByte),
  };
}

function quantiles(view: Quantiles | null) {
  return view === null ? null : { median_ms: view.medianMs, p99_ms: view.p99Ms };
}
