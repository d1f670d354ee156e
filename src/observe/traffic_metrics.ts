/** The metrics of sessions, flows and datagrams: the part of the catalogue that workers count. */
import { CAUSES, DATAGRAM_DROPS, DIAL_FAILURES, DRY_REFUSALS, REFUSALS } from '../core/outcome.js';
import { HISTOGRAM_BOUNDS_SECONDS } from '../core/series_layout.js';
import type { MetricDefinition } from './metric_definition.js';

const TRAFFIC = ['listener', 'pool', 'backend'] as const;

/** Counted by the workers, in shared memory; `backend=""` where none was reached. */
export const TRAFFIC_METRICS = {
  accepted: {
    name: 'sluice_accepted_total',
    type: 'counter',
    help: 'TCP sessions and UDP flows begun, whatever became of them.',
    labels: ['listener', 'pool'],
  },
  sessions: {
    name: 'sluice_sessions_total',
    type: 'counter',
    help: 'TCP sessions and UDP flows that ended, by why they ended.',
    labels: [...TRAFFIC, 'outcome'],
    values: CAUSES,
  },
  active: {
    name: 'sluice_sessions_active',
    type: 'gauge',
    help: 'TCP sessions and UDP flows now, those that wait or are being dialled included.',
    labels: TRAFFIC,
  },
  bytes: {
    name: 'sluice_bytes_total',
    type: 'counter',
    help: 'Bytes relayed: in is from the client to the backend, out is back.',
    labels: [...TRAFFIC, 'direction'],
    values: ['in', 'out'],
  },
  connect: {
    name: 'sluice_connect_seconds',
    type: 'histogram',
    help: 'Time from the dial to the established connection.',
    labels: ['pool'],
    labelsOnDemand: ['listener', 'backend'],
    bounds: HISTOGRAM_BOUNDS_SECONDS.connect,
  },
  firstByte: {
    name: 'sluice_first_byte_seconds',
    type: 'histogram',
    help: "Time from the established connection to the backend's first byte.",
    labels: ['pool'],
    labelsOnDemand: ['listener', 'backend'],
    bounds: HISTOGRAM_BOUNDS_SECONDS.firstByte,
  },
  session: {
    name: 'sluice_session_seconds',
    type: 'histogram',
    help: 'Time from the accept to the end of a session or flow.',
    labels: ['pool'],
    labelsOnDemand: ['listener', 'backend'],
    bounds: HISTOGRAM_BOUNDS_SECONDS.session,
  },
  queue: {
    name: 'sluice_queue_seconds',
    type: 'histogram',
    help: 'Time that sessions waited in a queue, whether they were served or not.',
    labels: ['pool'],
    labelsOnDemand: ['listener', 'backend'],
    bounds: HISTOGRAM_BOUNDS_SECONDS.queue,
  },
  rtt: {
    name: 'sluice_backend_rtt_seconds',
    type: 'histogram',
    help: "Round-trip time to backends when TCP sessions ended, as the kernel measured it; of a sample where many end, and of none without the kernel's word.",
    labels: ['pool'],
    labelsOnDemand: ['listener', 'backend'],
    bounds: HISTOGRAM_BOUNDS_SECONDS.rtt,
  },
  retransmits: {
    name: 'sluice_backend_retransmits',
    type: 'histogram',
    help: 'TCP segments to the backend that a session had to send again; of the same sample.',
    labels: ['pool'],
    labelsOnDemand: ['listener', 'backend'],
    bounds: HISTOGRAM_BOUNDS_SECONDS.retransmits,
  },
  dialFailures: {
    name: 'sluice_dial_failures_total',
    type: 'counter',
    help: 'Dials that failed, by reason.',
    labels: [...TRAFFIC, 'reason'],
    values: DIAL_FAILURES,
  },
  retries: {
    name: 'sluice_retries_total',
    type: 'counter',
    help: 'Dials of another backend after a failed dial.',
    labels: TRAFFIC,
  },
  refused: {
    name: 'sluice_refused_total',
    type: 'counter',
    help: 'Sessions turned away before any backend served them, by reason.',
    labels: [...TRAFFIC, 'reason'],
    values: REFUSALS,
  },
  wouldRefuse: {
    name: 'sluice_would_refuse_total',
    type: 'counter',
    help: 'Sessions and flows that a rule with `dry_run` would have turned away, by reason.',
    labels: [...TRAFFIC, 'reason'],
    values: DRY_REFUSALS,
  },
  uncounted: {
    name: 'sluice_clients_uncounted_total',
    type: 'counter',
    help: 'TCP sessions and UDP flows to which no limit for each client was applied, because as many clients were counted as can be.',
    labels: ['listener', 'pool'],
  },
  datagrams: {
    name: 'sluice_datagrams_total',
    type: 'counter',
    help: 'Datagrams relayed: in is from the client to the backend, out is back. What ICMP sends back is dropped instead; the kernel reports one of several.',
    labels: [...TRAFFIC, 'direction'],
    values: ['in', 'out'],
  },
  datagramsDropped: {
    name: 'sluice_datagrams_dropped_total',
    type: 'counter',
    help: 'Datagrams not relayed, by reason.',
    labels: [...TRAFFIC, 'reason'],
    values: DATAGRAM_DROPS,
  },
} as const satisfies Record<string, MetricDefinition>;
