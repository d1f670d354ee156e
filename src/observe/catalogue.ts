/**
 * Every metric that sluice exports. `conf/metrics.md` is generated from this list, and the
 * exposition registers nothing else, so the three cannot disagree.
 */
import { BACKEND_STATES } from '../core/backend_states.js';
import { OVERRIDE_KINDS } from '../core/deviation.js';
import { SOURCE_FAILURES } from '../core/discovery_spec.js';
import type { MetricDefinition } from './metric_definition.js';
import { TRAFFIC_METRICS } from './traffic_metrics.js';

const BACKEND = ['pool', 'backend'] as const;

/**
 * Upper bounds in seconds: a probe takes a round trip or two, and a second at the most by default.
 */
export const PROBE_BOUNDS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

/** Read from the control plane's state when Prometheus asks. */
const STATE_METRICS = {
  queueLength: {
    name: 'sluice_queue_length',
    type: 'gauge',
    help: 'Sessions that wait for a place at a backend.',
    labels: ['pool'],
  },
  poolBackends: {
    name: 'sluice_pool_backends',
    type: 'gauge',
    help: 'Backends by what counts most of each: one that is drained and down is drained.',
    labels: ['pool', 'state'],
    values: BACKEND_STATES,
  },
  poolHeld: {
    name: 'sluice_pool_held',
    type: 'gauge',
    help: '1 while an operator holds the pool: new sessions wait, and nothing is chosen.',
    labels: ['pool'],
  },
  overrides: {
    name: 'sluice_overrides',
    type: 'gauge',
    help: 'What operators have changed and the file does not have, by kind.',
    labels: ['kind'],
    values: OVERRIDE_KINDS,
  },
  overridesOldest: {
    name: 'sluice_overrides_oldest_timestamp_seconds',
    type: 'gauge',
    help: 'When the oldest of them was set, in seconds since 1970; absent without any of the kind.',
    labels: ['kind'],
    values: OVERRIDE_KINDS,
  },
  poolLoadMax: {
    name: 'sluice_pool_load_max',
    type: 'gauge',
    help: 'Sessions per unit of weight at the backend that has most, of those that serve.',
    labels: ['pool'],
  },
  poolLoadMedian: {
    name: 'sluice_pool_load_median',
    type: 'gauge',
    help: 'The same at the backend in the middle: one beyond twice of it has more than its share.',
    labels: ['pool'],
  },
  poolFirstByteMax: {
    name: 'sluice_pool_first_byte_max_seconds',
    type: 'gauge',
    help: 'Median time to the first byte in the last half minute, at the slowest backend.',
    labels: ['pool'],
  },
  poolFirstByteMedian: {
    name: 'sluice_pool_first_byte_median_seconds',
    type: 'gauge',
    help: 'The same at the backend in the middle.',
    labels: ['pool'],
  },
  poolFailuresMax: {
    name: 'sluice_pool_failures_max_ratio',
    type: 'gauge',
    help: 'Share of dials and sessions that failed in the last half minute, where it is greatest.',
    labels: ['pool'],
  },
  poolFailuresMedian: {
    name: 'sluice_pool_failures_median_ratio',
    type: 'gauge',
    help: 'The same at the backend in the middle.',
    labels: ['pool'],
  },
  backendUp: {
    name: 'sluice_backend_up',
    type: 'gauge',
    help: '1 while the probes find the backend well, also in another role than its pool wants.',
    labels: BACKEND,
  },
  backendEligible: {
    name: 'sluice_backend_eligible',
    type: 'gauge',
    help: '1 while the backend can get the next session (not: an idle backup, a standby, a full one).',
    labels: BACKEND,
  },
  backendWeight: {
    name: 'sluice_backend_weight_effective',
    type: 'gauge',
    help: 'Weight as it counts now: configured, times slow start, times degradation.',
    labels: BACKEND,
  },
  backendActive: {
    name: 'sluice_backend_active',
    type: 'gauge',
    help: 'Places taken at the backend over all listeners, compared with its cap.',
    labels: BACKEND,
  },
  backendCap: {
    name: 'sluice_backend_max_connections',
    type: 'gauge',
    help: 'Cap as it counts now (slow start included); 0 is none.',
    labels: BACKEND,
  },
  discoveryAge: {
    name: 'sluice_discovery_age_seconds',
    type: 'gauge',
    help: 'Time since an answer of a source of backends last counted, or since it was first asked.',
    labels: ['pool', 'source'],
  },
  discoveryHeld: {
    name: 'sluice_discovery_held',
    type: 'gauge',
    help: 'Backends that a source names no more, and that stay because their probes pass.',
    labels: ['pool', 'source'],
  },
  discoveryFailures: {
    name: 'sluice_discovery_failures_total',
    type: 'counter',
    help: 'Questions to a source of backends that brought no answer.',
    labels: ['pool', 'source', 'reason'],
    values: SOURCE_FAILURES,
  },
  heartbeat: {
    name: 'sluice_worker_heartbeat_seconds',
    type: 'gauge',
    help: 'Time since the worker thread last answered.',
    labels: ['worker'],
  },
  configHash: {
    name: 'sluice_config_hash_info',
    type: 'gauge',
    help: 'Always 1; the label is the hash of the configuration in use.',
    labels: ['hash'],
  },
  build: {
    name: 'sluice_build_info',
    type: 'gauge',
    help: 'Always 1; the labels are the version and the engine in use.',
    labels: ['version', 'engine'],
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of all threads, user and kernel.',
    labels: [],
  },
  memory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory in use (resident set).',
    labels: [],
  },
  startTime: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, in seconds since 1970.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Counted on the main thread when something happens. */
const EVENT_METRICS = {
  transitions: {
    name: 'sluice_backend_transitions_total',
    type: 'counter',
    help: "Changes of a backend's state, by the state that it changed to.",
    labels: [...BACKEND, 'to'],
  },
  ejections: {
    name: 'sluice_ejections_total',
    type: 'counter',
    help: 'Temporary removals for failures seen in real traffic, by reason.',
    labels: [...BACKEND, 'reason'],
  },
  dryEjections: {
    name: 'sluice_ejections_dry_run_total',
    type: 'counter',
    help: 'Temporary removals that dry_run = true has only reported, by reason.',
    labels: [...BACKEND, 'reason'],
  },
  probe: {
    name: 'sluice_probe_seconds',
    type: 'histogram',
    help: 'Time that probes took, whatever their result.',
    labels: ['pool'],
    labelsOnDemand: ['backend'],
    bounds: PROBE_BOUNDS_SECONDS,
  },
  probeFailures: {
    name: 'sluice_probe_failures_total',
    type: 'counter',
    help: 'Probes that failed, by reason.',
    labels: [...BACKEND, 'reason'],
  },
  reloads: {
    name: 'sluice_reloads_total',
    type: 'counter',
    help: 'Reloads of the configuration.',
    labels: ['result'],
    values: ['success', 'failure'],
  },
  workerRestarts: {
    name: 'sluice_worker_restarts_total',
    type: 'counter',
    help: 'Worker threads that died or did not answer, and were replaced.',
    labels: ['worker'],
  },
  internalErrors: {
    name: 'sluice_internal_errors_total',
    type: 'counter',
    help: 'Sessions, flows, probes and requests that a defect of sluice ended; all others went on.',
    labels: [],
  },
  logSuppressed: {
    name: 'sluice_log_suppressed_total',
    type: 'counter',
    help: 'Log lines not written, because of the rate limit or because they were not read in time.',
    labels: ['event'],
  },
} as const satisfies Record<string, MetricDefinition>;

export const METRICS = { ...TRAFFIC_METRICS, ...STATE_METRICS, ...EVENT_METRICS };
