/** Writes random Specs, and changes them as operators do: one thing, or several, at a time. */
import { ipEndpoint } from '../../src/core/endpoint.js';
import { below, type Random } from '../../src/core/random.js';
import { EVERY_SESSION } from '../../src/core/routes.js';
import {
  type BackendSpec,
  type LimitsSpec,
  type ListenerSpec,
  type OutlierSpec,
  POLICY_NAMES,
  type PolicySpec,
  type PoolSpec,
  type RouteSpec,
  type Spec,
} from '../../src/core/spec.js';
import { type Change, changed, listenerSettings, poolSettings } from '../support/changed.js';
import { policyNamed } from '../support/policies.js';
import { sourceOf } from './sim_sources.js';

const TCP_POOLS = ['p0', 'p1', 'p2'];
const UDP_POOL = 'u0';
const TCP_LISTENERS = ['l0', 'l1', 'l2'];
const MAX_BACKENDS = 5;

const OUTLIER: OutlierSpec = {
  consecutiveFailures: 3,
  intervalMs: 1000,
  baseEjectionMs: 500,
  maxEjectionMs: 3000,
  maxEjectedPercent: 50,
  dryRun: false,
  latencyFactor: 0,
};

export class SpecWriter {
  readonly #random: Random;
  #listeners: ListenerSpec[];
  #pools: PoolSpec[];

  constructor(random: Random) {
    this.#random = random;
    this.#pools = [...TCP_POOLS.slice(0, 2), UDP_POOL].map((name) => this.#pool(name));
    this.#listeners = [
      this.#listener('l0', 'tcp', 'p0'),
      this.#listener('l1', 'tcp', 'p1'),
      this.#listener('d0', 'udp', UDP_POOL),
    ];
  }

  spec(): Spec {
    return {
      daemon: {
        engine: 'node',
        workers: 3,
        shutdownTimeoutMs: 3000,
        leaveDelayMs: 0,
        stateDirectory: null,
        keepSockets: true,
        reloadUpgrades: false,
        probesPerSecond: 0,
      },
      log: { level: 'info', format: 'json', access: 'all' },
      admin: {
        http: null,
        socket: null,
        socketGroup: '',
        socketUsers: [],
        hosts: [],
        tokenFile: null,
        allowPublic: false,
        backendHistograms: false,
      },
      listeners: this.#listeners,
      pools: this.#pools,
      denied: [],
    };
  }

  /** One to three changes. */
  change(): Spec {
    for (let count = 1 + below(this.#random, 3); count > 0; count--) this.#changeOne();
    return this.spec();
  }

  #changeOne(): void {
    const what = below(this.#random, 10);
    if (what === 0) this.#changeListeners();
    else if (what === 1) this.#changePools();
    else if (what === 2) this.#alterListener();
    else if (what < 5) this.#alterPool();
    else if (what < 7) this.#moveBackend();
    else this.#alterBackend();
  }

  /** A TCP listener comes or goes. */
  #changeListeners(): void {
    const name = this.#pick(TCP_LISTENERS);
    const known = this.#listeners.filter((listener) => listener.name !== name);
    const pools = this.#pools.filter((pool) => pool.name !== UDP_POOL);
    this.#listeners =
      known.length < this.#listeners.length
        ? known
        : [...known, this.#listener(name, 'tcp', this.#pick(pools).name)];
  }

  /** A pool comes, or one goes and its listeners are led to another. */
  #changePools(): void {
    const name = this.#pick(TCP_POOLS);
    const others = this.#pools.filter((pool) => pool.name !== name);
    const known = others.length < this.#pools.length;
    const heirs = others.filter((pool) => pool.name !== UDP_POOL);
    if (known && heirs.length === 0) return;
    this.#pools = known ? others : [...others, this.#pool(name)];
    if (!known) return;
    const led = (pool: string | null): string | null =>
      pool === name ? this.#pick(heirs).name : pool;
    this.#listeners = this.#listeners.map((listener) => ({
      ...listener,
      pool: led(listener.pool),
      routes: listener.routes.map((route) => ({ ...route, pool: led(route.pool) })),
    }));
  }

  #alterListener(): void {
    const pools = this.#pools.filter((pool) => pool.name !== UDP_POOL);
    this.#alter(this.#listeners, (listener) => {
      const change = this.#pick<Change<ListenerSpec>>([
        { maxSessions: 5 + below(this.#random, 60) },
        { idleTimeoutMs: 500 + below(this.#random, 8000) },
        { maxSessionAgeMs: this.#pick([0, 2000, 6000]) },
        { bind: [ipEndpoint(4, '192.0.2.1', 1000 + below(this.#random, 4))] },
        { trustedProxies: this.#pick([null, null, TRUSTED]) },
        { limits: this.#pick([null, this.#limits()]) },
        listener.protocol === 'tcp' ? { pool: this.#pick(pools).name } : {},
        listener.protocol === 'tcp' ? { routes: this.#routes(pools) } : {},
      ]);
      return changed(listener, change);
    });
  }

  /** By client: some of them are not known before their PROXY header. A few refuse. */
  #routes(pools: readonly PoolSpec[]): readonly RouteSpec[] {
    return Array.from({ length: below(this.#random, 3) }, () => {
      const host = `198.51.100.${64 * below(this.#random, 4)}`;
      const clients = [{ family: 4, host, prefixBits: 26 }] as const;
      const refuses = below(this.#random, 8) === 0;
      return {
        conditions: { ...EVERY_SESSION, clients },
        pool: refuses ? null : this.#pick(pools).name,
      };
    });
  }

  #limits(): LimitsSpec {
    return {
      sessionsPerClient: below(this.#random, 3),
      newPerClient: this.#pick([null, { count: 20, perMs: 1000, burst: 2 }]),
      newPerSecond: this.#pick([0, 0, 40, 200]),
      exempt: [],
      ipv6PrefixBits: 64,
      action: this.#pick(['reset', 'close', 'delay']),
      delayMs: this.#pick([100, 3000]),
      dryRun: below(this.#random, 5) === 0,
    };
  }

  #alterPool(): void {
    this.#alter(this.#pools, (pool) => {
      const change = this.#pick<Change<PoolSpec>>([
        { policy: this.#policy() },
        pool.name === UDP_POOL ? {} : { queueSize: this.#pick([0, 3, 20]) },
        { queueTimeoutMs: this.#pick([300, 2000]) },
        { retries: below(this.#random, 4) },
        { slowStartMs: this.#pick([0, 2000]) },
        { panicPercent: this.#pick([0, 0, 50]) },
        { onDown: this.#pick(['keep', 'close']), onDownSpreadMs: this.#pick([0, 500]) },
        { drainTimeoutMs: this.#pick([0, 500, 3000]), drainSpreadMs: this.#pick([0, 1000]) },
        { outlier: this.#pick([null, OUTLIER, { ...OUTLIER, dryRun: true }]) },
        { connectTimeoutMs: this.#pick([200, 1000]) },
        { rebalancePercent: this.#pick([0, 50]) },
        { backups: this.#pick(['all', 'first']) },
        { discovery: pool.backends.length === 0 ? pool.discovery : this.#sources(pool.name) },
        { sendProxyProtocol: this.#pick(['off', 'v1', 'v2']) },
      ]);
      return changed(pool, change);
    });
  }

  /** A backend comes, goes, or gets another address. */
  #moveBackend(): void {
    this.#alter(this.#pools, (pool) => {
      const index = below(this.#random, MAX_BACKENDS);
      const others = pool.backends.filter((backend) => backend.name !== `b${index}`);
      const gone = others.length < pool.backends.length && others.length > 0;
      if (gone && below(this.#random, 3) > 0) return { ...pool, backends: others };
      return { ...pool, backends: [...others, this.#backend(pool.name, index)] };
    });
  }

  #alterBackend(): void {
    this.#alter(this.#pools, (pool) => {
      if (pool.backends.length === 0) return pool;
      const chosen = this.#pick(pool.backends);
      const change = this.#pick<Partial<BackendSpec>>([
        { weight: this.#pick([0, 1, 1, 3, 10]) },
        { maxConnections: this.#pick([0, 1, 2, 5, 10]) },
        { maxConnections: this.#pick([1, 2, 5]) },
        { backup: below(this.#random, 4) === 0 },
      ]);
      const backends = pool.backends.map((backend) =>
        backend === chosen ? { ...backend, ...change } : backend,
      );
      return { ...pool, backends };
    });
  }

  #alter<T>(list: T[], change: (one: T) => T): void {
    const at = below(this.#random, list.length);
    const one = list[at];
    if (one !== undefined) list[at] = change(one);
  }

  #listener(name: string, protocol: 'tcp' | 'udp', pool: string): ListenerSpec {
    return {
      name,
      protocol,
      bind: [ipEndpoint(4, '192.0.2.1', 1000)],
      missingAddress: 'refuse',
      activation: null,
      pool,
      routes: [],
      maxSessions: 60,
      access: null,
      settings: listenerSettings({
        idleTimeoutMs: 5000,
        backlog: 16,
        limits: this.#pick([null, null, this.#limits()]),
      }),
    };
  }

  #pool(name: string): PoolSpec {
    const discovery = this.#sources(name);
    const least = discovery.length === 0 ? 1 : 0;
    const count = least + below(this.#random, MAX_BACKENDS);
    return {
      name,
      whileHeld: 'keep',
      settings: poolSettings({
        policy: this.#policy(),
        connectTimeoutMs: 300,
        queueSize: name === UDP_POOL ? 0 : this.#pick([0, 10]),
        queueTimeoutMs: 1000,
        outlier: this.#pick([null, OUTLIER]),
      }),
      drainTimeoutMs: 1000,
      drainSpreadMs: 500,
      slowStartMs: 0,
      onDown: 'keep',
      onDownSpreadMs: 0,
      backups: this.#pick(['all', 'first']),
      rebalancePercent: 0,
      health: {
        probe: this.#pick([{ kind: 'tcp' }, { kind: 'tcp' }, { kind: 'none' }]),
        port: null,
        intervalMs: 500,
        fastIntervalMs: 100,
        downIntervalMs: 300,
        timeoutMs: 200,
        fall: 2,
        rise: 2,
        jitter: 0.1,
      },
      discovery,
      backends: Array.from({ length: count }, (_, index) => this.#backend(name, index)),
    };
  }

  /** Half of the pools find others beside those of the file. */
  #sources(pool: string): PoolSpec['discovery'] {
    return this.#pick([[], [sourceOf(pool)]]);
  }

  /** Its address: a network a pool, a host a backend, one of two ports. */
  #backend(pool: string, index: number): BackendSpec {
    const net = [...TCP_POOLS, UDP_POOL].indexOf(pool);
    return {
      name: `b${index}`,
      address: ipEndpoint(4, `10.0.${net}.${index}`, 7000 + below(this.#random, 2)),
      admin: 'ready',
      weight: this.#pick([1, 1, 2]),
      maxConnections: this.#pick([0, 3, 8]),
      backup: below(this.#random, 6) === 0,
    };
  }

  #policy(): PolicySpec {
    return policyNamed(this.#pick(POLICY_NAMES), { tableSize: 251 });
  }

  #pick<T>(list: readonly T[]): T {
    const one = list[below(this.#random, list.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }
}

/** Half of the simulated clients come from here. */
export const TRUSTED = [{ family: 4, host: '198.51.100.0', prefixBits: 25 }] as const;
