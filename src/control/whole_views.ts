/** What is reported of the daemon as a whole: traffic over everything, and the rate of probes. */
import type { HealthView } from '../admin/views.js';
import { REFUSALS } from '../core/outcome.js';
import { CAUSE_COLUMN, PLAIN_COLUMN } from '../core/series_layout.js';
import type { Daemon } from './daemon.js';
import type { Refusals } from './refusals.js';

export function overallTraffic(refusals: Refusals): HealthView['traffic'] {
  return {
    sessionsActive: refusals.total(PLAIN_COLUMN.active),
    sessionsTotal: refusals.total(PLAIN_COLUMN.accepted),
    refusedTotal: REFUSALS.reduce((sum, cause) => sum + refusals.total(CAUSE_COLUMN[cause]), 0),
    bytesInTotal: refusals.total(PLAIN_COLUMN.bytesIn),
    bytesOutTotal: refusals.total(PLAIN_COLUMN.bytesOut),
  };
}

/** Rates are whole probes per second; the stretch has two digits. */
export function probeRate({ board, spec }: Daemon): HealthView['probes'] {
  const allowedPerSecond = spec.daemon.probesPerSecond;
  const wanted = board.probes.wantedPerSecond();
  const stretch = allowedPerSecond === 0 ? 1 : Math.max(1, wanted / allowedPerSecond);
  return {
    wantedPerSecond: Math.ceil(wanted),
    allowedPerSecond,
    stretch: Math.round(100 * stretch) / 100,
  };
}
