/** `[pools.NAME.outlier]`: ejection of backends that fail in real traffic. */
import type { OutlierSpec } from '../../core/spec.js';
import { decimal, duration, flag, integer } from './kinds.js';
import { optionalTable, type ValueOf } from './node.js';

export const OUTLIER = optionalTable(
  'Passive health: a backend that fails in real traffic is ejected for a while. Without this table it is off.',
  {
    consecutive_failures: integer({
      default: 5,
      min: 1,
      max: 10_000,
      doc: "Failed dials, or sessions reset before the backend's first byte, in a row over all workers and within `interval`. The one that reaches this number ejects at once.",
    }),
    interval: duration({
      default: '10s',
      min: '100ms',
      max: '1h',
      doc: 'Older failures do not count. Also the window in which latencies are compared, and the calm after which one ejection in a row is forgiven.',
    }),
    base_ejection: duration({
      default: '30s',
      min: '100ms',
      max: '1d',
      doc: 'How long the first ejection lasts; times the number of ejections in a row. It ends early when probes that had found the backend down find it up again. A backend returns with no failures counted.',
    }),
    max_ejection: duration({
      default: '5m',
      min: '100ms',
      max: '7d',
      doc: 'The longest ejection.',
    }),
    max_ejected_percent: integer({
      default: 50,
      min: 0,
      max: 100,
      doc: 'The share of the pool that may be ejected at a time, exact over all workers: one at least unless it is 0, and never the last backend that could serve.',
    }),
    dry_run: flag({
      default: false,
      doc: 'true: log and count what would be ejected, eject nothing.',
    }),
    latency_factor: decimal({
      default: 0,
      min: 0,
      max: 1_000,
      doc: "Eject a backend whose connect or first-byte time is beyond this multiple of the pool's median. Above 1; 0 is off.",
    }),
  },
);

export type OutlierValue = NonNullable<ValueOf<typeof OUTLIER>>;

export function outlierSpec(value: OutlierValue): OutlierSpec {
  return {
    consecutiveFailures: value.consecutive_failures,
    intervalMs: value.interval,
    baseEjectionMs: value.base_ejection,
    maxEjectionMs: value.max_ejection,
    maxEjectedPercent: value.max_ejected_percent,
    dryRun: value.dry_run,
    latencyFactor: value.latency_factor,
  };
}
