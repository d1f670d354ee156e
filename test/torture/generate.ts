/** From a seed to a program. */
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import type { EngineUnderTest } from '../support/daemon.js';
import {
  type Act,
  type BackendPlan,
  BINDS,
  CALM,
  type ClientPlan,
  type Edit,
  type FlowPlan,
  HABITS,
  type Habit,
  type Lines,
  type ListenerPlan,
  type PoolPlan,
  type Program,
  type RoutePlan,
  type Step,
} from './program.js';
import { isUsable } from './settings.js';

/** All begin within this time. */
const SPAN_MS = 400;
const MAX_CLIENTS = 60;
const TINY = { entries: 2, completions: 4, buffers: 2, datagramBuffers: 2, pipes: 0 };
/** The fewest (by sixteens) with which two workers on either engine can listen on all addresses. */
const FEW_FILES = 144;

export function generate(seed: number, engine: EngineUnderTest): Program {
  return new Generator(seed).program(seed, engine);
}

class Generator {
  readonly #random: Random;
  readonly #pools: readonly PoolPlan[];
  readonly #listeners: readonly ListenerPlan[];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const names = ['p0', 'p1', 'p2'].slice(0, 1 + below(this.#random, 3));
    this.#pools = [...names.map((name) => this.#pool(name)), this.#udpPool(), calmPool()];
    this.#listeners = [
      ...names.map((name, index) => this.#listener(`l${index}`, name)),
      this.#udpListener(),
      {
        ...this.#listener(CALM, CALM),
        bind: '0.0.0.0',
        routes: [],
        proxy: 'none',
        lines: {},
      },
    ];
  }

  program(seed: number, engine: EngineUnderTest): Program {
    return {
      seed,
      engine,
      workers: 1 + below(this.#random, 2),
      access: this.#pick(['off', 'errors', 'all', 'all']),
      sizes: this.#pick([
        null,
        null,
        TINY,
        { buffers: 2 },
        { pipes: 0 },
        { completions: 4, entries: 2 },
      ]),
      openFiles: this.#rarely(10) ? FEW_FILES : null,
      listeners: this.#listeners,
      pools: this.#pools,
      clients: this.#times(10 + below(this.#random, MAX_CLIENTS), (id) => this.#client(id)),
      flows: this.#times(below(this.#random, 6), (id) => this.#flow(id)),
      acts: this.#acts(),
    };
  }

  #listener(name: string, pool: string): ListenerPlan {
    return {
      name,
      protocol: 'tcp',
      bind: this.#pick(BINDS),
      pool,
      routes: this.#rarely(3) ? this.#routes() : [],
      proxy: this.#pick(['none', 'none', 'trusted', 'untrusted']),
      lines: {
        ...this.#sometimes('max_sessions', [1, 3, 20]),
        ...this.#sometimes('idle_timeout', ['100ms', '400ms']),
        ...this.#sometimes('max_session_age', ['100ms', '500ms']),
        ...this.#limits(),
        ...this.#stages(),
      },
    };
  }

  /** No client's first byte is one of Postgres: one that says something in time is passed on. */
  #stages(): Lines {
    return {
      ...this.#sometimes('postgres.strict', [false]),
      ...this.#sometimes('hello_timeout', ['300ms', '1s']),
    };
  }

  #limits(): Lines {
    return {
      ...this.#sometimes('limits.sessions_per_client', [1, 3, 20]),
      ...this.#sometimes('limits.new_per_client', ['20/s', '100/s']),
      ...this.#sometimes('limits.burst', [1, 5]),
      ...this.#sometimes('limits.new_per_second', [20, 200]),
      ...this.#sometimes('limits.action', ['close', 'delay']),
      'limits.delay': '100ms',
    };
  }

  /** Some of the clients that a header may name, and of those that come by themselves. */
  #routes(): readonly RoutePlan[] {
    const pools = this.#pools.filter(({ name, protocol }) => protocol === 'tcp' && name !== CALM);
    return this.#times(1 + below(this.#random, 2), () => ({
      client: this.#pick(['10.1.0.0/27', '127.0.0.0/9', '::1', '0.0.0.0/1']),
      name: this.#rarely(3) ? 'a.example' : null,
      pool: this.#rarely(5) ? '' : this.#pick(pools).name,
    }));
  }

  #udpListener(): ListenerPlan {
    return {
      name: 'd0',
      protocol: 'udp',
      bind: this.#pick(['0.0.0.0', '[::]', '127.0.0.1', '[::1]']),
      pool: 'u0',
      routes: [],
      proxy: 'none',
      lines: { idle_timeout: '400ms', ...this.#sometimes('max_sessions', [1, 3]) },
    };
  }

  #pool(name: string): PoolPlan {
    const count = 1 + below(this.#random, 3);
    const backends = this.#times(count, (index) => this.#backend(`${name}b${index}`));
    return {
      name,
      protocol: 'tcp',
      lines: { connect_timeout: this.#pick(['500ms', '1500ms']), ...this.#poolLines() },
      health: this.#health(),
      outlier: this.#rarely(4)
        ? { consecutive_failures: 2, interval: '100ms', base_ejection: '200ms' }
        : null,
      backends: isUsable(backends) ? backends : backends.map((one) => ({ ...one, lines: {} })),
    };
  }

  #poolLines(): Lines {
    const capped = this.#rarely(2);
    return {
      policy: this.#pick(POLICY_NAMES),
      retries: below(this.#random, 4),
      ...(capped ? { max_connections: this.#pick([1, 2, 5]) } : {}),
      ...(capped ? this.#sometimes('queue_size', [1, 3, 50]) : {}),
      queue_timeout: this.#pick(['100ms', '600ms']),
      ...this.#sometimes('send_proxy_protocol', ['v1', 'v2']),
      ...this.#sometimes('on_down', ['close']),
      ...this.#sometimes('slow_start', ['300ms']),
      ...this.#sometimes('panic_percent', [50]),
      ...this.#sometimes('backups', ['first']),
      drain_timeout: this.#pick(['0s', '100ms', '400ms']),
      drain_spread: this.#pick(['0s', '100ms']),
    };
  }

  #health(): Lines {
    if (this.#rarely(2)) return { probe: 'none' };
    return {
      probe: 'tcp',
      interval: '100ms',
      fast_interval: '50ms',
      down_interval: '100ms',
      timeout: '200ms',
      fall: 2,
      rise: this.#pick([1, 2]),
    };
  }

  #backend(name: string): BackendPlan {
    return {
      name,
      first: this.#pick(['up', 'up', 'up', 'dead', 'silent']),
      habits: this.#times(1 + below(this.#random, 4), () => this.#habit()),
      lines: {
        ...this.#sometimes('weight', [0, 2]),
        ...this.#sometimes('max_connections', [1, 3]),
        ...this.#sometimes('backup', [true]),
      },
    };
  }

  #habit(): Habit {
    return this.#rarely(2) ? 'answer' : this.#pick(HABITS);
  }

  #udpPool(): PoolPlan {
    const lines = {
      policy: this.#pick(POLICY_NAMES),
      ...this.#sometimes('max_connections', [1]),
      ...this.#sometimes('udp_responses', [1]),
    };
    return {
      name: 'u0',
      protocol: 'udp',
      lines,
      health: { probe: 'none' },
      outlier: null,
      backends: this.#times(2, (index) => ({
        name: `u0b${index}`,
        first: this.#pick(['up', 'up', 'dead']),
        habits: ['answer'],
        lines: {},
      })),
    };
  }

  #client(id: number): ClientPlan {
    const listener = this.#pick(this.#listeners.filter(({ protocol }) => protocol === 'tcp'));
    const calm = listener.name === CALM;
    return {
      id,
      atMs: below(this.#random, SPAN_MS),
      listener: listener.name,
      header: listener.proxy === 'none' ? null : this.#header(),
      steps: calm ? this.#orderly() : this.#steps(),
    };
  }

  #header(): ClientPlan['header'] {
    if (this.#rarely(12)) return null;
    return {
      kind: this.#pick(['v1', 'v2', 'v1', 'v2', 'v1', 'v2', 'bad', 'cut']),
      pieces: 1 + below(this.#random, 4),
      gapMs: this.#pick([0, 0, 1, 20]),
    };
  }

  /** Sends something and finishes. */
  #orderly(): Step[] {
    return [
      ...this.#times(below(this.#random, 4), () => this.#send()),
      ...(this.#rarely(3) ? [this.#wait()] : []),
    ];
  }

  #steps(): Step[] {
    const steps = this.#times(below(this.#random, 7), () => this.#step());
    if (this.#rarely(3)) steps.push({ do: 'reset' });
    return steps;
  }

  #step(): Step {
    const what = below(this.#random, 10);
    if (what < 4) return this.#send();
    if (what < 7) return this.#wait();
    if (what === 7) return { do: 'stop-reading' };
    if (what === 8) return { do: 'read' };
    return { do: 'finish' };
  }

  #send(): Step {
    const bytes = this.#pick([1, 7, 100, 4_000, 70_000, 300_000]);
    return { do: 'send', bytes: this.#rarely(12) ? 2_000_000 : bytes };
  }

  #wait(): Step {
    return { do: 'pause', ms: this.#pick([0, 0, 1, 5, 30, 120]) };
  }

  #flow(id: number): FlowPlan {
    return {
      id: 10_000 + id,
      atMs: below(this.#random, SPAN_MS),
      listener: 'd0',
      datagrams: 1 + below(this.#random, 12),
      bytes: this.#pick([0, 20, 1_400, 9_000]),
      gapMs: this.#pick([0, 5, 60]),
    };
  }

  #acts(): Act[] {
    const acts: Act[] = this.#times(below(this.#random, 8), () => this.#act());
    if (this.#rarely(20)) acts.push({ atMs: this.#moment(), do: 'lose-worker' });
    if (this.#rarely(12)) acts.push({ atMs: this.#moment(), do: 'stop' });
    return acts.sort((a, b) => a.atMs - b.atMs);
  }

  #act(): Act {
    const atMs = this.#moment();
    if (this.#rarely(2)) {
      const to = this.#pick(['up', 'dead', 'dead', 'silent'] as const);
      const backend = this.#pick(this.#tortured()).name;
      return {
        atMs,
        do: 'turn',
        backend,
        to: backend.startsWith('u') && to === 'silent' ? 'up' : to,
      };
    }
    return {
      atMs,
      do: 'reload',
      edits: this.#times(1 + below(this.#random, 3), () => this.#edit()),
    };
  }

  #edit(): Edit {
    const tcp = this.#pools.filter(({ name, protocol }) => protocol === 'tcp' && name !== CALM);
    const backend = this.#pick(this.#tortured()).name;
    const pool = this.#pick(tcp).name;
    const listener = `l${below(this.#random, tcp.length)}`;
    return this.#pick<Edit>([
      { edit: 'lead', listener, pool },
      { edit: 'lead', listener, pool },
      { edit: 'route', listener, routes: this.#routes() },
      { edit: 'remove-backend', backend },
      { edit: 'remove-backend', backend },
      { edit: 'restore-backend', backend },
      { edit: 'restore-backend', backend },
      { edit: 'set', pool, lines: this.#poolLines() },
      { edit: 'set-backend', backend, lines: { weight: this.#pick([0, 1, 5]) } },
      this.#rarely(3) ? { edit: 'remove-listener', listener } : { edit: 'lead', listener, pool },
    ]);
  }

  #tortured(): readonly BackendPlan[] {
    return this.#pools.filter(({ name }) => name !== CALM).flatMap(({ backends }) => backends);
  }

  #moment(): number {
    return below(this.#random, SPAN_MS + 200);
  }

  #sometimes(key: string, values: readonly (string | number | boolean)[]): Lines {
    return this.#rarely(4) ? { [key]: this.#pick(values) } : {};
  }

  /** True once in `times`. */
  #rarely(times: number): boolean {
    return below(this.#random, times) === 0;
  }

  #times<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, index) => make(index));
  }

  #pick<T>(list: readonly T[]): T {
    const one = list[below(this.#random, list.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }
}

function calmPool(): PoolPlan {
  return {
    name: CALM,
    protocol: 'tcp',
    lines: {},
    health: { probe: 'none' },
    outlier: null,
    backends: [
      { name: 'calm0', first: 'up', habits: ['answer', 'greet', 'finish-first'], lines: {} },
    ],
  };
}
