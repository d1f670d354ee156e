/** `[pools.NAME.health]`: how backends are probed, and when a verdict changes. */
import type { HealthSpec } from '../../core/health_spec.js';
import { decimal, duration, integer } from './kinds.js';
import { table, type ValueOf } from './node.js';
import { probeSpec } from './probe.js';
import { PROBE, PROBE_KEYS, PROBE_KINDS, PROBE_USES, type ProbeKey } from './probe_keys.js';

/** The default of `fast_interval`, unless `interval` is shorter still. */
const FAST_INTERVAL_MS = 500;

const HEALTH_KEYS = {
  probe: PROBE,
  ...PROBE_KEYS,
  port: integer({
    otherwise: "the backend's own",
    example: 8008,
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
    example: '500ms',
    min: '10ms',
    max: '1d',
    doc: 'Between two probes, from the first result that differs until the verdict.',
  }),
  down_interval: duration({
    default: '5s',
    min: '10ms',
    max: '1d',
    doc: 'Between two probes of a backend that is down or on standby (well, but in another role). With `rise` it decides how soon a new primary gets sessions: set "1s" where roles matter.',
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
} as const;

export const HEALTH = table(
  'Active health: how backends are probed, and when a verdict changes.',
  HEALTH_KEYS,
  { allOf: PROBE_KINDS.map(rulesOfKind) },
);

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

/** For editors: which keys each kind of probe takes. An absent `probe` is "tcp". */
function rulesOfKind(kind: (typeof PROBE_KINDS)[number]): object {
  const { takes, needs } = PROBE_USES[kind];
  const foreign = (Object.keys(PROBE_KEYS) as ProbeKey[]).filter((key) => !takes.includes(key));
  const isDefault = 'default' in PROBE.absent && PROBE.absent.default === kind;
  const condition = { properties: { probe: { const: kind } } };
  return {
    if: isDefault ? condition : { ...condition, required: ['probe'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: needs, not: { anyOf: foreign.map((key) => ({ required: [key] })) } },
  };
}
