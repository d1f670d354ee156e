/** What each test of the TCP contract starts from: an engine, a driver and one listener. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Endpoint } from '../../../src/core/endpoint.js';
import type { ListenSource } from '../../../src/core/plan.js';
import type { Engine, EngineLimits, LoopHooks } from '../../../src/engine/engine.js';
import type { PairEnd, TcpEdges } from '../../../src/session/tcp_port.js';
import { connectPeer, LOOPBACK, type Peer, PeerServer } from '../../support/peer.js';
import { type Edge, TcpDriver } from '../../support/tcp_driver.js';

/** An engine that is attached and runs on this thread's event loop, or is pumped by it. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** How a listener of this engine gets a socket at `local`. */
  source(local: Endpoint, backlog: number): ListenSource;
  /** Closes what `source` opened, as control does once no listener uses it. */
  forget(source: ListenSource): void;
  /** Makes `ms` pass on the engine's clock. */
  pass(ms: number): Promise<void>;
  /** Rings the engine's doorbell. */
  ring(): void;
  /** What the engine has to do without; absent: nothing. */
  readonly without?: 'foreign calls';
  /** Stops the engine and frees whatever it was given. */
  dispose(): Promise<void>;
}

export type MakeEngine = (
  limits: EngineLimits,
  edges: TcpEdges,
  hooks: LoopHooks,
) => Promise<EngineUnderTest>;

export const BACKLOG = 128;
/** As much of a client's first bytes as tests ask for. */
export const EARLY_BYTES = 4_096;
const STEP_MS = 20;
export const IDLE_HOOKS: LoopHooks = { tick: () => Number.POSITIVE_INFINITY, rung: () => {} };

export interface BenchOptions {
  readonly pairs?: number;
  /** Default: a free port of 127.0.0.1; `unix`: a path in a folder of its own. */
  readonly listen?: Endpoint | 'unix';
  readonly backend?: Endpoint | 'unix';
  readonly hooks?: LoopHooks;
}

export class Bench {
  readonly under: EngineUnderTest;
  readonly driver: TcpDriver;
  readonly backend: PeerServer;
  readonly listener: Endpoint;
  readonly source: ListenSource;
  /** Empty but for the sockets of this test; removed after it. */
  readonly folder: string;

  constructor(
    under: EngineUnderTest,
    driver: TcpDriver,
    backend: PeerServer,
    source: ListenSource,
    listener: Endpoint,
    folder: string,
  ) {
    this.source = source;
    this.folder = folder;
    this.under = under;
    this.driver = driver;
    this.backend = backend;
    this.listener = listener;
  }

  connect(): Promise<Peer> {
    return connectPeer(this.listener);
  }

  /** How the pair ends, while time passes in small steps, `withinMs` of it at most. */
  async endInTime(withinMs: number): Promise<PairEnd> {
    await this.timePasses('closed', withinMs);
    return this.driver.nextEnd();
  }

  /** Time passes in small steps until that edge has come, `withinMs` of it at most. */
  async timePasses(until: Edge['kind'], withinMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < withinMs; passedMs += STEP_MS) {
      await settled(() => this.driver.edges.length, 20);
      if (this.driver.count(until) > 0) break;
      await this.under.pass(STEP_MS);
    }
  }

  /** A client and the backend that it was relayed to. */
  async relayed(): Promise<{ client: Peer; backend: Peer }> {
    this.driver.proxyTo(this.backend.endpoint);
    const client = await this.connect();
    const backend = await this.backend.next();
    await this.driver.next('dialled');
    return { client, backend };
  }
}

/**
 * Runs `body` as a test with an engine of its own, and then asks whether every promise was kept.
 */
export function withEngine(
  t: Test,
  make: MakeEngine,
  name: string,
  body: (bench: Bench, t: Test) => Promise<void>,
  options: BenchOptions = {},
): void {
  t.test(name, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    const place = (wanted: Endpoint | 'unix' | undefined, name: string): Endpoint =>
      wanted === 'unix' ? { kind: 'unix', path: join(folder, name) } : (wanted ?? LOOPBACK);
    const driver = new TcpDriver();
    const limits = { pairs: options.pairs ?? 64, flows: 1 };
    const under = await make(limits, driver, options.hooks ?? IDLE_HOOKS);
    driver.drive(under.engine.tcp);
    const backend = await PeerServer.listen(place(options.backend, 'backend'));
    try {
      const source = under.source(place(options.listen, 'listener'), BACKLOG);
      const opened = await under.engine.tcp.openListener(LISTENER, source, BACKLOG);
      if (!opened.ok) throw new Error(opened.sentence);
      await body(new Bench(under, driver, backend, source, opened.local, folder), t);
    } finally {
      backend.close();
      await under.dispose();
      rmSync(folder, { recursive: true });
    }
    t.same(driver.violations, [], 'no promise of the seam was broken');
  });
}

export const LISTENER = 1;

/** Waits until `value` has not changed for `turns` turns of the event loop, and returns it. */
export async function settled(value: () => number, turns = 200): Promise<number> {
  let last = value();
  for (let quiet = 0; quiet < turns; quiet++) {
    await turn();
    if (value() !== last) {
      last = value();
      quiet = 0;
    }
  }
  return last;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
