/**
 * How things end: closed lists, in code, logs and metric labels alike. An index into these lists
 * is a column in shared memory, so the order is fixed at build time and nowhere stored.
 */

export const STAGES = ['accept', 'select', 'queue', 'dial', 'relay', 'drain'] as const;
export type Stage = (typeof STAGES)[number];

export const ENDED_BY = ['client', 'backend', 'sluice'] as const;
export type EndedBy = (typeof ENDED_BY)[number];

/** Why a session or flow ended: the `outcome` label and the access line's `cause`. */
export const CAUSES = [
  // relay: both ends finished in order
  'finished',
  'client-reset',
  'backend-reset',
  'idle-timeout',
  'max-age',
  'responses-done',
  // taken away by sluice
  'drained',
  'backend-down',
  'rebalanced',
  'killed',
  'shutdown',
  // its worker thread ended, by a defect or because it did not answer
  'worker-lost',
  // never reached a backend
  'bad-proxy-header',
  'proxy-header-timeout',
  'untrusted-proxy',
  // by the listener's access list
  'denied',
  'not-allowed',
  // by the listener's limits for each client
  'too-many-sessions',
  'too-fast',
  'hello-timeout',
  'not-postgres',
  // by the routes of its listener
  'no-route',
  // asked for TLS on behalf of a Postgres client, the backend had none
  'backend-without-tls',
  // a CancelRequest of a Postgres client, which is no session
  'cancel-handed-on',
  'cancel-limit',
  'no-backend',
  'all-down',
  'all-full',
  'queue-full',
  'queue-timeout',
  'dial-failed',
  'client-gone',
  'listener-full',
  // sluice ran into a limit of its own or of the system (descriptors, memory, ports)
  'resource-limit',
  // no address of the pool's `source` is on this machine
  'no-source-address',
  // a defect of sluice, which ended this session and no other
  'internal-error',
] as const;
export type Cause = (typeof CAUSES)[number];

/** The causes that `refused_total` counts: the client was turned away before any backend. */
export const REFUSALS = [
  'bad-proxy-header',
  'proxy-header-timeout',
  'untrusted-proxy',
  'denied',
  'not-allowed',
  'too-many-sessions',
  'too-fast',
  'hello-timeout',
  'not-postgres',
  'no-route',
  'backend-without-tls',
  'cancel-limit',
  'no-backend',
  'all-down',
  'all-full',
  'queue-full',
  'queue-timeout',
  'dial-failed',
  'listener-full',
  'resource-limit',
  'no-source-address',
] as const satisfies readonly Cause[];

/** What a rule with `dry_run` would have refused, and did not. */
export const DRY_REFUSALS = [
  'denied',
  'not-allowed',
  'too-many-sessions',
  'too-fast',
] as const satisfies readonly Cause[];
export type DryRefusal = (typeof DRY_REFUSALS)[number];

export interface End {
  readonly by: EndedBy;
  readonly stage: Stage;
  readonly cause: Cause;
}

/** Why one dial failed. Every one is safe to retry elsewhere: no byte was delivered. */
export const DIAL_FAILURES = [
  'refused',
  'unreachable',
  'timeout',
  'reset',
  'no-free-port',
  'no-source-address',
  'no-descriptor',
  'other',
] as const;
export type DialFailure = (typeof DIAL_FAILURES)[number];

/** Why a datagram was dropped. */
export const DATAGRAM_DROPS = [
  'no-backend',
  'all-down',
  'all-full',
  'flow-limit',
  // its listener has left the file, or sluice stops
  'listener-closing',
  // it claims to come from a listening socket of this process, which would be answered for ever
  'loop',
  'untrusted-proxy',
  'denied',
  'not-allowed',
  'too-many-sessions',
  'too-fast',
  'bad-proxy-header',
  'too-large',
  'truncated',
  'send-error',
  'send-queue-full',
  'backend-unreachable',
  'resource-limit',
  'no-source-address',
  'internal-error',
  // a reply that came when its flow was over, or at another backend
  'flow-ended',
] as const;
export type DatagramDrop = (typeof DATAGRAM_DROPS)[number];

/** Why a backend is not eligible for a choice; `null` elsewhere means that it is. */
export const INELIGIBLE = [
  'drained',
  'maintenance',
  'weight-0',
  'unproven',
  'down',
  // well, but in another role than its pool wants
  'standby',
  'ejected',
  'full',
  'tried',
  // a backup that is not needed now
  'backup',
] as const;
export type Ineligible = (typeof INELIGIBLE)[number];
