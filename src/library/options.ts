/**
 * What a balancer is made from. Keys are those of a pool in the daemon's file, in camelCase;
 * bounds, defaults and sentences are the file's (conf/reference.md).
 */
import type { SourceKind } from '../core/discovery_spec.js';
import type { ProbeSpec, Role } from '../core/health_spec.js';
import type { PolicyName } from '../core/spec.js';
import type { Registry } from './registry_source.js';

/** `'250ms'`, `'5s'`, `'1h'` as in the file, or whole milliseconds. */
export type Duration = string | number;

export interface BackendOptions {
  /** `host:port`, `[IPv6]:port` or `unix:/path`. A name is resolved, and resolved again. */
  readonly address: string;
  readonly name?: string;
  readonly weight?: number;
  readonly maxConnections?: number;
  readonly backup?: boolean;
}

export interface HashOptions {
  readonly algorithm?: 'maglev' | 'ring';
  readonly ipv6Prefix?: number;
  readonly balanceFactor?: number;
  readonly tableSize?: number;
}

export interface OutlierOptions {
  readonly consecutiveFailures?: number;
  readonly interval?: Duration;
  readonly baseEjection?: Duration;
  readonly maxEjection?: Duration;
  readonly maxEjectedPercent?: number;
  readonly dryRun?: boolean;
  readonly latencyFactor?: number;
}

export interface StepOptions {
  readonly send?: string;
  readonly expect?: string;
}

export interface HealthOptions {
  readonly probe?: ProbeSpec['kind'];
  readonly port?: number;
  readonly interval?: Duration;
  readonly fastInterval?: Duration;
  readonly downInterval?: Duration;
  readonly timeout?: Duration;
  readonly fall?: number;
  readonly rise?: number;
  readonly jitter?: number;
  readonly send?: string;
  readonly expect?: string;
  readonly steps?: readonly StepOptions[];
  /** As in the file (`"4KiB"`), or bytes. */
  readonly minimumSize?: string | number;
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS';
  readonly path?: string;
  readonly status?: string | number | readonly (string | number)[];
  readonly host?: string;
  readonly tls?: boolean;
  readonly tlsServerName?: string;
  readonly tlsVerify?: boolean;
  readonly tlsCaFile?: string;
  readonly expiryWarning?: Duration;
  readonly role?: Role;
  readonly user?: string;
  readonly database?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly allowCleartextPassword?: boolean;
  readonly maxLag?: Duration;
  readonly name?: string;
  readonly type?: string;
  readonly rcodes?: readonly string[];
}

export interface QueueOptions {
  /** The same as `queueSize`. */
  readonly size?: number;
  /** The same as `queueTimeout`. */
  readonly timeout?: Duration;
}

/** How far a source is believed. */
export interface TrustOptions {
  readonly hold?: Duration;
  readonly confirm?: Duration;
  readonly maxRemovedPercent?: number;
  readonly allowEmpty?: boolean;
  readonly limit?: number;
}

/** A source that the file knows as well; which keys go with which kind says the reference. */
export interface SourceOptions extends TrustOptions {
  readonly kind: SourceKind;
  readonly name?: string;
  /** `kubernetes` also takes the name of one. */
  readonly port?: number | string;
  readonly srv?: boolean;
  readonly servers?: readonly string[];
  readonly minRefresh?: Duration;
  readonly maxRefresh?: Duration;
  readonly path?: string;
  readonly url?: string;
  readonly interval?: Duration;
  readonly tokenFile?: string;
  readonly addresses?: readonly string[];
  readonly master?: string;
  readonly urls?: readonly string[];
  readonly role?: Role;
  /** As in the file (`"16MiB"`), or bytes. */
  readonly maxLag?: string | number;
  readonly passwordFile?: string;
  readonly prefix?: string;
  readonly user?: string;
  readonly service?: string;
  readonly tag?: string;
  readonly stale?: boolean;
  readonly kubeconfig?: string;
  readonly zone?: string;
  readonly caFile?: string;
}

/** A registry of the application. */
export interface RegistryOptions extends TrustOptions {
  readonly registry: Registry;
  /** What `getInstances` is asked for; default: the name of the balancer. */
  readonly service?: string;
}

export type DiscoveryOptions = SourceOptions | RegistryOptions | Registry;

export interface BalancerOptions {
  /** How events, errors and metrics call the balancer (label `pool`). Default: `balancer`. */
  readonly name?: string;
  readonly backends?: readonly (string | BackendOptions)[];
  /** Where further backends are known; the union with `backends` is the set. */
  readonly discovery?: DiscoveryOptions | readonly DiscoveryOptions[];
  readonly policy?: PolicyName;
  readonly hash?: HashOptions;
  readonly health?: HealthOptions;
  readonly outlier?: OutlierOptions;
  readonly maxConnections?: number;
  readonly queue?: QueueOptions;
  readonly queueSize?: number;
  readonly queueTimeout?: Duration;
  readonly connectTimeout?: Duration;
  readonly retries?: number;
  readonly slowStart?: Duration;
  readonly panicPercent?: number;
  readonly backups?: 'all' | 'first';
  readonly drainTimeout?: Duration;
  readonly drainSpread?: Duration;
  readonly onDown?: 'keep' | 'close';
  readonly onDownSpread?: Duration;
}
