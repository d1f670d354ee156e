/**
 * What each test of the UDP contract starts from: an engine, a driver, one listener and a backend.
 */
import type { Test } from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import type { ListenSource } from '../../../src/core/plan.js';
import type { EngineLimits } from '../../../src/engine/engine.js';
import type { Framing, UdpEdges, UdpEngine } from '../../../src/session/udp_port.js';
import { freePort } from '../../support/places.js';
import { UdpDriver } from '../../support/udp_driver.js';
import { UdpPeer } from '../../support/udp_peer.js';

/** An engine's UDP half, attached; it runs on this thread's event loop, or is pumped by it. */
export interface UdpUnderTest {
  readonly udp: UdpEngine;
  /** How a listener of this engine gets a socket at `local`. */
  source(local: IpEndpoint): ListenSource;
  /** Stops the engine and frees whatever it was given. */
  dispose(): Promise<void>;
}

export type MakeUdp = (limits: EngineLimits, edges: UdpEdges) => Promise<UdpUnderTest>;

export interface UdpBenchOptions {
  readonly flows?: number;
  readonly listen?: IpEndpoint;
  readonly framing?: Framing;
}

export const LISTENER = 7;
const LOOPBACK = ipEndpoint(4, '127.0.0.1', 0);

export class UdpBench {
  readonly under: UdpUnderTest;
  readonly driver: UdpDriver;
  readonly backend: UdpPeer;
  readonly listener: IpEndpoint;
  /** What the listener was opened with, its port filled in. */
  readonly source: ListenSource;
  readonly #peers: UdpPeer[] = [];

  constructor(
    under: UdpUnderTest,
    driver: UdpDriver,
    backend: UdpPeer,
    listener: IpEndpoint,
    source: ListenSource,
  ) {
    this.under = under;
    this.source = { ...source, local: listener };
    this.driver = driver;
    this.backend = backend;
    this.listener = listener;
  }

  /** A further socket, closed with the test. */
  async peer(host?: string, port?: number): Promise<UdpPeer> {
    const peer = await UdpPeer.open(host, port);
    this.#peers.push(peer);
    return peer;
  }

  /** Where nothing is, and nothing comes. */
  async nowhere(): Promise<IpEndpoint> {
    return ipEndpoint(4, '127.0.0.1', await freePort());
  }

  async close(): Promise<void> {
    for (const peer of [...this.#peers, this.backend]) await peer.close();
  }
}

/**
 * Runs `body` as a test with an engine of its own, and then asks whether every promise was kept.
 */
export function withUdp(
  t: Test,
  make: MakeUdp,
  name: string,
  body: (bench: UdpBench, t: Test) => Promise<void>,
  options: UdpBenchOptions = {},
): void {
  t.test(name, async (t) => {
    const driver = new UdpDriver();
    const under = await make({ pairs: 1, flows: options.flows ?? 64 }, driver);
    driver.drive(under.udp);
    const local = options.listen ?? LOOPBACK;
    const source = under.source(local);
    const opened = await under.udp.openListener(LISTENER, source, options.framing ?? 'plain');
    if (!opened.ok || opened.local.kind !== 'ip') throw new Error('the listener is not open');
    // No other process gets its port when it is closed.
    const port = await freePort();
    const backend = await UdpPeer.open(local.family === 6 ? '::1' : '127.0.0.1', port);
    const bench = new UdpBench(under, driver, backend, opened.local, source);
    driver.forwardTo(backend.endpoint);
    try {
      await body(bench, t);
    } finally {
      await bench.close();
      driver.closeAll();
      await under.dispose();
    }
    t.same(driver.violations, [], 'no promise of the seam was broken');
  });
}
