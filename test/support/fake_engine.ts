/** An engine without sockets, threads or a loop of its own: the test takes its turns. */
import type { Clock } from '../../src/core/clock.js';
import type { Engine } from '../../src/engine/engine.js';
import type { TcpEdges } from '../../src/session/tcp_port.js';
import type { UdpEdges } from '../../src/session/udp_port.js';
import { FakeUdpEngine } from '../session/udp/fake_engine.js';
import { FakeTcpEngine } from './fake_tcp_engine.js';

export class FakeEngine implements Engine {
  readonly name = 'node';
  readonly clock: Clock;
  readonly tcp: FakeTcpEngine;
  readonly udp: FakeUdpEngine;

  /** `capacity`: pairs, and flows. */
  constructor(clock: Clock, capacity: number) {
    this.clock = clock;
    this.tcp = new FakeTcpEngine(clock, capacity);
    this.udp = new FakeUdpEngine(clock, capacity);
  }

  attach(tcp: TcpEdges, udp: UdpEdges): void {
    this.tcp.attach(tcp);
    this.udp.attach(udp);
  }

  async run(): Promise<void> {}

  stop(): void {}
}
