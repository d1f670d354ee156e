/**
 * The node engine: `node:net` and `node:dgram` on the event loop of its thread. It does the whole
 * job where neither io_uring nor foreign calls are allowed.
 */
import type { PortRange } from '../../core/port_range.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { TcpEdges } from '../../session/tcp_port.js';
import type { Engine, EngineLimits } from '../engine.js';
import { SelfDials } from '../self_dials.js';
import { Loop, type LoopDeps } from './loop.js';
import { NodeTcp } from './tcp.js';
import { NodeUdp } from './udp.js';

export interface NodeEngineDeps extends Omit<LoopDeps, 'isIdle'> {
  /** null where foreign calls are not possible: listeners then bind by themselves. */
  readonly kernel: Kernel | null;
  /** What connect(2) takes source ports from now; null: unknown. */
  readonly sourcePorts: () => PortRange | null;
  /** As of NodeUdpDeps. */
  readonly polls?: (fd: number | null) => void;
}

export function createNodeEngine(limits: EngineLimits, deps: NodeEngineDeps): Engine {
  const isIdle = (): boolean => tcp.isIdle && udp.isIdle;
  const loop = new Loop({ ...deps, isIdle });
  const selfDials = new SelfDials(deps.sourcePorts);
  const tcp = new NodeTcp(limits, { ...deps, selfDials });
  const udp = new NodeUdp(limits.flows, { ...deps, selfDials });
  return {
    name: 'node',
    clock: deps.clock,
    tcp,
    udp,
    attach(tcpEdges, udpEdges) {
      tcp.attach(touching(tcpEdges, loop));
      udp.attach(udpEdges, () => loop.touch());
    },
    async run(hooks) {
      loop.start(hooks);
    },
    stop() {
      loop.stop();
      tcp.stop();
      udp.stop();
    },
  };
}

/** The same edges, each followed by a tick. */
function touching(edges: TcpEdges, loop: Loop): TcpEdges {
  return {
    accepted(key, pair) {
      loop.stir();
      edges.accepted(key, pair);
      loop.touch();
    },
    earlyBytes(pair, bytes) {
      edges.earlyBytes(pair, bytes);
      loop.touch();
    },
    dialled(pair) {
      edges.dialled(pair);
      loop.touch();
    },
    asked(pair, byte) {
      edges.asked(pair, byte);
      loop.touch();
    },
    parting(pair) {
      edges.parting(pair);
    },
    dialFailed(pair, failure) {
      edges.dialFailed(pair, failure);
      loop.touch();
    },
    heard(pair, bytes) {
      edges.heard(pair, bytes);
      loop.touch();
    },
    firstByte(pair) {
      edges.firstByte(pair);
      loop.touch();
    },
    closed(pair, end) {
      edges.closed(pair, end);
      loop.touch();
    },
    acceptFailed(key, errno) {
      edges.acceptFailed(key, errno);
      loop.touch();
    },
    broken(pair, error) {
      edges.broken(pair, error);
      loop.touch();
    },
  };
}
