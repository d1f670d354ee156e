/**
 * What the operator asked for: the configuration after parsing, defaults and validation, in base
 * units (milliseconds, bytes) and without identifiers of this process. src/config makes it,
 * src/control turns it into a Plan. The settings of a listener or pool are what workers follow: a
 * plan carries them as they are here. What stands beside them is for control alone.
 */
import type { DiscoverySpec } from './discovery_spec.js';
import type { Address, Endpoint, IpEndpoint } from './endpoint.js';
import type { HealthSpec } from './health_spec.js';

export interface Spec {
  readonly daemon: DaemonSpec;
  readonly log: LogSpec;
  readonly admin: AdminSpec;
  readonly listeners: readonly ListenerSpec[];
  readonly pools: readonly PoolSpec[];
  /** Clients that may come to no listener: an operator says so, and no file. */
  readonly denied: readonly AddressBlock[];
}

export type EngineName = 'uring' | 'epoll' | 'node';

export interface DaemonSpec {
  readonly engine: 'auto' | EngineName;
  readonly workers: 'auto' | number;
  readonly shutdownTimeoutMs: number;
  /** From the failure of readiness to the end of accepting; 0: none */
  readonly leaveDelayMs: number;
  /** Where overrides are kept; `auto`: where the service manager wants it. null: nowhere */
  readonly stateDirectory: string | null;
  /** Whether systemd keeps the listening sockets over a restart. */
  readonly keepSockets: boolean;
  /** A signal to reload upgrades where another program is installed. */
  readonly reloadUpgrades: boolean;
  /** Attempts of all probes that start per second, at most; 0: as many as are due. */
  readonly probesPerSecond: number;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export interface LogSpec {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: 'json' | 'pretty';
  readonly access: AccessLevel;
}
/**
 * `errors`: sessions and flows that went wrong. `oneOf`: those, and one of this many (1 or more) of
 * the others.
 */
export type AccessLevel = 'off' | 'errors' | 'all' | { readonly oneOf: number };

export interface AdminSpec {
  /** null: off */
  readonly http: IpEndpoint | null;
  /** The path of the control socket; `auto`: where the service manager wants it. null: off */
  readonly socket: string | null;
  /** Name or number; '': the daemon's own. */
  readonly socketGroup: string;
  /** Users who may change things over the socket, beside root and the daemon's own. */
  readonly socketUsers: readonly string[];
  /** The file of the bearer token; null: nothing can be changed over `http`. */
  readonly tokenFile: string | null;
  /** Beyond loopback `http` may be read without the token. */
  readonly allowPublic: boolean;
  /** Names in Host headers that are accepted beside those of this machine; in lower case. */
  readonly hosts: readonly string[];
  /** Histograms of /metrics per listener and backend, and not per pool. */
  readonly backendHistograms: boolean;
}

/** A CIDR block; a single address has the full prefix. */
export interface AddressBlock {
  readonly family: 4 | 6;
  readonly host: string;
  readonly prefixBits: number;
}

export interface ListenerSpec {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly bind: readonly Endpoint[];
  /** Whether an address is bound that this machine does not have (yet). */
  readonly missingAddress: 'bind' | 'refuse';
  /** The name of systemd's sockets that it takes; null: it opens its own. */
  readonly activation: string | null;
  /** Where those go that no route takes. null: they are refused. */
  readonly pool: string | null;
  /** The first that fits decides. */
  readonly routes: readonly RouteSpec[];
  /** 0: what the descriptor limit allows. */
  readonly maxSessions: number;
  readonly settings: ListenerSettings;
  /** null: all clients may connect. */
  readonly access: AccessSpec | null;
}

export interface RouteSpec {
  readonly conditions: RouteConditions;
  /** null: sessions that fit are refused. */
  readonly pool: string | null;
}

/** Each that is not empty must hold; it holds when one of its list does. */
export interface RouteConditions {
  /** In lower case, in ASCII and without a dot at the end; `*.` stands for one label or more. */
  readonly serverNames: readonly string[];
  readonly alpn: readonly string[];
  readonly clients: readonly AddressBlock[];
  /** Of a Postgres client; `*` stands for any characters, `?` for one. */
  readonly databases: readonly string[];
  readonly users: readonly string[];
  readonly applications: readonly string[];
}

export interface AccessSpec {
  readonly allow: readonly AddressBlock[];
  readonly deny: readonly AddressBlock[];
  /** Absolute paths; one block a line. */
  readonly allowFiles: readonly string[];
  readonly denyFiles: readonly string[];
  /**
   * Whether clients that are in no list may connect. Not when there is a list of allowed ones,
   * whatever is in it: one that has become empty allows no client.
   */
  readonly others: 'allowed' | 'not allowed';
  readonly dryRun: boolean;
}

export interface ListenerSettings {
  /** null: no PROXY header is expected. Otherwise one is required, from these peers only. */
  readonly trustedProxies: readonly AddressBlock[] | null;
  readonly idleTimeoutMs: number;
  /** 0: none */
  readonly maxSessionAgeMs: number;
  readonly backlog: number;
  /** For all early stages together. */
  readonly helloTimeoutMs: number;
  readonly helloSizeBytes: number;
  /** null: clients may speak whatever they like. */
  readonly postgres: PostgresSpec | null;
  /** null: clients may have as many sessions, and come as fast, as they like. */
  readonly limits: LimitsSpec | null;
}

export interface LimitsSpec {
  /** 0: none */
  readonly sessionsPerClient: number;
  readonly newPerClient: NewSessions | null;
  /** Of the listener; 0: none */
  readonly newPerSecond: number;
  /** Counted, never refused. */
  readonly exempt: readonly AddressBlock[];
  /** 1 to 128 */
  readonly ipv6PrefixBits: number;
  readonly action: 'reset' | 'close' | 'delay';
  readonly delayMs: number;
  readonly dryRun: boolean;
}

/** `count` of a client may begin in `perMs`, `burst` of them at once. */
export interface NewSessions {
  readonly count: number;
  readonly perMs: number;
  readonly burst: number;
}

export interface PostgresSpec {
  /** `route`: a CancelRequest goes to every backend that may have the session. */
  readonly cancel: 'route' | 'pass';
  /** Whether what does not begin like Postgres is refused. */
  readonly strict: boolean;
}

export const POLICY_NAMES = [
  'p2c',
  'least-connections',
  'source-hash',
  'round-robin',
  'random',
  'least-latency',
  'adaptive',
] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** How a pool chooses; what only one policy asks for stands in its arm. */
export type PolicySpec = SourceHashSpec | { readonly name: Exclude<PolicyName, 'source-hash'> };

/** Clients have places in a table by configured weights; other policies draw by the ledger. */
export function placesByWeight({ name }: PolicySpec): boolean {
  return name === 'source-hash';
}

export interface SourceHashSpec {
  readonly name: 'source-hash';
  readonly algorithm: 'maglev' | 'ring';
  /** 0 to 128 */
  readonly ipv6PrefixBits: number;
  /** 0: off; otherwise 1 or more */
  readonly balanceFactor: number;
  /** a prime */
  readonly tableSize: number;
}

export interface PoolSpec {
  readonly name: string;
  readonly settings: PoolSettings;
  /** What becomes of its sessions while it is held: an operator says so, and no file. */
  readonly whileHeld: 'keep' | 'drain';
  readonly drainTimeoutMs: number;
  readonly drainSpreadMs: number;
  readonly slowStartMs: number;
  readonly onDown: 'keep' | 'close';
  /** The span over which `close` closes; 0 = all at once. */
  readonly onDownSpreadMs: number;
  /** When no other is eligible: all backups serve together, or the first eligible one alone. */
  readonly backups: 'all' | 'first';
  /** Sessions moved a minute after a backend came back, as a share in percent; 0: off. */
  readonly rebalancePercent: number;
  readonly health: HealthSpec;
  readonly backends: readonly BackendSpec[];
  /** Sources of further backends. */
  readonly discovery: readonly DiscoverySpec[];
}

export interface PoolSettings {
  readonly policy: PolicySpec;
  readonly sendProxyProtocol: 'off' | 'v1' | 'v2';
  /** Addresses of this machine to dial from, port 0; none: the kernel chooses. */
  readonly sources: readonly IpEndpoint[];
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  readonly panicPercent: number;
  readonly udpResponses: number;
  /**
   * Held: at most this many new sessions wait, and nothing is chosen. 0: not held, as in every
   * file.
   */
  readonly heldAtMost: number;
  /** null: no passive health */
  readonly outlier: OutlierSpec | null;
}

/**
 * What an operator wants of a backend beside its configuration. Drained: it gets no new sessions.
 * Maintenance: it is not probed, either.
 */
export type AdminState = 'ready' | 'drained' | 'maintenance';

export interface BackendSpec {
  readonly name: string;
  readonly address: Address;
  readonly admin: AdminState;
  /** 0 to 1000; whole in a file, and with a fraction where an operator asks for a percentage. */
  readonly weight: number;
  /** 0: none; the pool's value is already filled in */
  readonly maxConnections: number;
  readonly backup: boolean;
}

export interface OutlierSpec {
  readonly consecutiveFailures: number;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedPercent: number;
  readonly dryRun: boolean;
  /** Gray failure: connect or first-byte time beyond this multiple of the pool's median; 0: off. */
  readonly latencyFactor: number;
}
