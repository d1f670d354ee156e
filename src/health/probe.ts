/**
 * The contract of a probe: one attempt to find out whether a backend would serve. A probe opens its
 * own connection, reads a bounded number of bytes, always ends by `signal`, leaves nothing open,
 * and never throws: everything that can go wrong is an outcome.
 */
import type { CutOffSignal } from '../core/cut_off.js';
import type { Endpoint, IpEndpoint } from '../core/endpoint.js';

export interface ProbeTarget {
  readonly endpoint: Endpoint;
  /** The address of this machine to dial from; else the kernel chooses. */
  readonly source?: IpEndpoint | null;
  /**
   * What goes first on the wire: a PROXY header with LOCAL where the pool sends PROXY; else empty.
   */
  readonly prelude: Uint8Array;
}

/** Why a probe says no; a metric label, so the list is closed. */
export const PROBE_FAILURES = [
  'refused',
  'unreachable',
  'timeout',
  'reset',
  'closed-early',
  'wrong-answer',
  'too-much-data',
  'not-ready',
  'wrong-role',
  'lagging',
  'authentication',
  'tls',
  'secret-unreadable',
  'no-local-address',
  'no-resources',
  'internal-error',
] as const;
export type ProbeFailure = (typeof PROBE_FAILURES)[number];

export type ProbeResult =
  | {
      readonly ok: true;
      /** 1 = whole; below 1 the effective weight is multiplied by it (a degraded answer: 0.5). */
      readonly share: number;
      /** For people: "role primary", "certificate ends in 12 days"; empty: nothing to say. */
      readonly note: string;
      /** A sentence without a full stop about what needs care although the backend serves. */
      readonly warning?: string;
    }
  | { readonly ok: false; readonly failure: ProbeFailure; readonly detail: string };

export interface Probe {
  /**
   * Resolves soon after `signal` aborts at the latest; an abort is the failure `timeout` (for `udp`
   * without `expect` it is the proof that no ICMP error came).
   */
  attempt(target: ProbeTarget, signal: CutOffSignal): Promise<ProbeResult>;
}
