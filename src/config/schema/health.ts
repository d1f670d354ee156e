/** `[pools.NAME.health]`: how backends are probed, and when a verdict changes. */
import type { HealthSpec } from '../../core/spec.js';
import { decimal, duration, integer, table, type ValueOf } from './kinds.js';
import { PROBE_KEYS, probeSpec } from './probe.js';

/** The default of `fast_interval`, unless `interval` is shorter still. */
const FAST_INTERVAL_MS = 500;

export const HEALTH = table('Active health: how backends are probed, and when a verdict changes.', {
  ...PROBE_KEYS,
  port: integer({
    otherwise: "the backend's own",
    min: 1,
    max: 65_535,
    doc: 'Probed instead of the port of the backend.',
  }),
  interval: duration({
    default: '2s',
    min: '10ms',
    max: '1d',
    doc: 'Between two probes of a backend that is up.',
  }),
  fast_interval: duration({
    otherwise: '"500ms", or `interval` if that is shorter',
    min: '10ms',
    max: '1d',
    doc: 'Between the first result that differs and the verdict.',
  }),
  down_interval: duration({
    default: '5s',
    min: '10ms',
    max: '1d',
    doc: 'Between two probes of a backend that is down.',
  }),
  timeout: duration({
    default: '1s',
    min: '10ms',
    max: '5m',
    doc: 'One probe as a whole; longer than that is a failure.',
  }),
  fall: integer({ default: 3, min: 1, max: 100, doc: 'Failures in a row that declare it down.' }),
  rise: integer({ default: 2, min: 1, max: 100, doc: 'Successes in a row that declare it up.' }),
  jitter: decimal({
    default: 0.1,
    min: 0,
    max: 1,
    doc: 'The share by which every interval varies, so that probes do not march in step.',
  }),
});

export type HealthValue = ValueOf<typeof HEALTH>;

/** `value` has passed the checks. */
export function healthSpec(value: HealthValue): HealthSpec {
  return {
    probe: probeSpec(value),
    port: value.port ?? null,
    intervalMs: value.interval,
    fastIntervalMs: value.fast_interval ?? Math.min(FAST_INTERVAL_MS, value.interval),
    downIntervalMs: value.down_interval,
    timeoutMs: value.timeout,
    fall: value.fall,
    rise: value.rise,
    jitter: value.jitter,
  };
}
