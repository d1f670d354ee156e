/** What the operator asks of health: how often a backend is probed, and with what. */
import type { DnsType } from './dns_codes.js';

export interface HealthSpec {
  readonly probe: ProbeSpec;
  /** Probed instead of the backend's own port; null: the same */
  readonly port: number | null;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
  /** 0 to 1: the share by which intervals vary */
  readonly jitter: number;
}

export interface ProbeTls {
  /** Server name sent and, with verify, checked; null: the backend's host */
  readonly serverName: string | null;
  readonly verify: boolean;
  /** PEM file; null: the system's store */
  readonly caFile: string | null;
}

export interface SendExpectStep {
  readonly send: Uint8Array | null;
  readonly expect: Uint8Array | null;
}

export type Role = 'any' | 'primary' | 'replica';

/** A secret is named, never held: read at each probe, so that it can be rotated. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly name: string };

export type ProbeSpec =
  | { readonly kind: 'none' }
  | { readonly kind: 'tcp' }
  | {
      readonly kind: 'send-expect';
      readonly steps: readonly SendExpectStep[];
      /** Bytes that must have arrived before a mismatch counts as a "no". */
      readonly minimumBytes: number;
      readonly tls: ProbeTls | null;
    }
  | {
      readonly kind: 'http';
      readonly method: 'GET' | 'HEAD' | 'OPTIONS';
      readonly path: string;
      readonly host: string | null;
      /** Inclusive ranges of status codes that mean "up". */
      readonly status: readonly { readonly from: number; readonly to: number }[];
      readonly tls: ProbeTls | null;
    }
  | {
      readonly kind: 'tls';
      readonly tls: ProbeTls;
      /** Warn when the certificate ends within this time; 0: never */
      readonly expiryWarningMs: number;
    }
  | {
      readonly kind: 'redis';
      readonly role: Role;
      readonly user: string | null;
      readonly password: SecretSource | null;
      readonly tls: ProbeTls | null;
    }
  | {
      readonly kind: 'postgres';
      readonly role: Role;
      /** null: only the start-up answer is looked at */
      readonly user: string | null;
      readonly database: string;
      readonly password: SecretSource | null;
      /** Replay lag of a replica, above which it is not ready; 0: none */
      readonly maxLagMs: number;
      /** Without TLS; with it the password may go as it is in any case. */
      readonly allowCleartextPassword: boolean;
      readonly tls: ProbeTls | null;
    }
  | { readonly kind: 'mysql' }
  | {
      readonly kind: 'dns';
      readonly name: string;
      readonly type: DnsType;
      /** Response codes that mean "up": NOERROR, NXDOMAIN … */
      readonly rcodes: readonly string[];
    }
  | {
      readonly kind: 'udp';
      readonly send: Uint8Array;
      /** null: no ICMP unreachable within the timeout is enough */
      readonly expect: Uint8Array | null;
    };
