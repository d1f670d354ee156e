/** A datagram that the kernel refuses to send at once is moved as one that ICMP answered. */
import t from 'tap';
import { present } from '../../../src/core/assert.js';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import { SIZES } from '../../../src/engine/uring/means.js';
import type { Kernel } from '../../../src/kernel/foreign.js';
import type { TcpEdges } from '../../../src/session/tcp_port.js';
import { type MakeUdp, withUdp } from '../../contract/udp/bench.js';
import { drivenUringEngine, testKernel } from '../../support/uring_engine.js';

/** <sys/socket.h>, <netinet/ip.h> */
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const IPPROTO_IP = 0;
const IP_TOS = 1;

/** Connects to broadcast addresses, and lets every datagram to them fail with EACCES (udp(7)). */
function broadcasting(real: Kernel): Kernel {
  const { libc } = real;
  const broadcast = (fd: number, word: number): void => {
    libc.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, Int32Array.of(word), 4);
  };
  const connectAt = (fd: number, address: number, bytes: number): number => {
    broadcast(fd, 1);
    const answer = libc.connectAt(fd, address, bytes);
    broadcast(fd, 0);
    // Makes the socket forget its route, so that the next send looks at the permission again.
    libc.setsockopt(fd, IPPROTO_IP, IP_TOS, Int32Array.of(16), 4);
    return answer;
  };
  return { ...real, libc: { ...libc, connectAt } };
}

const make: MakeUdp = async (limits, edges) => {
  const kernel = broadcasting(testKernel());
  const { engine, run } = drivenUringEngine(limits, undefined, kernel, SIZES);
  engine.attach({} as unknown as TcpEdges, edges);
  const running = run({ tick: () => Number.POSITIVE_INFINITY, rung: () => {} });
  return {
    udp: engine.udp,
    source: (local) => ({ kind: 'bind', local, reusePort: 'exclusive' }),
    dispose: async () => {
      engine.stop();
      await running;
    },
  };
};

const NOWHERE: readonly IpEndpoint[] = [1, 2].map((port) => ipEndpoint(4, '127.255.255.255', port));

withUdp(t, make, 'a first datagram that cannot be sent goes on once', async (bench, t) => {
  const { driver, backend, listener } = bench;
  const told: string[] = [];
  driver.forwardTo(present(NOWHERE[0], 'an address'));
  driver.answers.unreachable = (flow, which) => {
    told.push(which);
    driver.open(flow, NOWHERE[told.length] ?? backend.endpoint);
    return 'forward';
  };
  const client = await bench.peer();
  client.send(listener, 'first');
  t.equal(await backend.text(), 'first');
  client.send(listener, 'second');
  t.equal(await backend.text(), 'second', 'and it went on only once');
  t.same(told, ['first', 'first']);
  const flow = await driver.firstFlow();
  t.equal(driver.engine.datagramsIn[flow], 2);
  t.equal(driver.engine.bytesIn[flow], 11);
});
