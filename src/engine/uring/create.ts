/** Makes an engine on the thread that will run it, or says what could not be had. */
import type { WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Doorbell } from '../../core/doorbell.js';
import type { PortRange } from '../../core/port_range.js';
import { ok, type Result } from '../../core/result.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { errnoName, type KernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { Ring } from '../../kernel/ring.js';
import type { EngineLimits } from '../engine.js';
import { SelfDials } from '../self_dials.js';
import { Bell } from './bell.js';
import { Delays } from './delays.js';
import { refusedSplice } from './detect.js';
import { UringEngine } from './engine.js';
import { Loop } from './loop.js';
import { SIZES, type Sizes, takeMeans } from './means.js';
import { Pipes } from './pipes.js';
import { UringTcp } from './tcp.js';
import { UringUdp } from './udp.js';

/** Buffers whose pages are given back in a turn: sessions wait for no more than that. */
const TRIMMED_PER_TURN = 16;

export interface UringOptions {
  readonly kernel: Kernel;
  readonly limits: EngineLimits;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly worker: WorkerId;
  /** What connect(2) takes source ports from now; null: unknown. */
  readonly sourcePorts: () => PortRange | null;
  /** The engine goes on without a part of it: a sentence, with the remedy. */
  readonly degraded?: (sentence: string) => void;
  /** SIZES unless a test wants little. */
  readonly sizes?: Sizes;
}

export function createUringEngine(options: UringOptions): Result<UringEngine, KernelError> {
  const { kernel, limits, clock, doorbell, worker, sizes = SIZES } = options;
  const taken = takeMeans(kernel, limits, sizes);
  if (!taken.ok) return taken;
  const { ring, calls, tcpPool, udpPool, release, ...memory } = taken.value;
  const loop = new Loop(ring, clock);
  const bell = Bell.create(kernel, loop, doorbell, worker);
  if (!bell.ok) {
    release();
    return bell;
  }
  const delays = new Delays(loop);
  const spliceRefused = (answer: number): void => {
    const { cause, remedy } = refusedSplice(errnoName(answer));
    options.degraded?.(`${cause}. ${remedy}`);
  };
  const selfDials = new SelfDials(options.sourcePorts);
  const shared = { kernel, loop, delays, calls, selfDials, ...memory };
  const opened = (): void => engine.yieldSoon();
  const pipes = new Pipes(kernel, Math.min(sizes.pipes, limits.pipes ?? sizes.pipes));
  const { earlyBytes } = sizes;
  const tcpMeans = { ...shared, pool: tcpPool, pipes, earlyBytes, spliceRefused };
  const tcp = new UringTcp(tcpMeans, limits.pairs, opened);
  const udp = new UringUdp({ ...shared, pool: udpPool }, limits.flows, opened);
  loop.add(delays);
  const engine: UringEngine = new UringEngine({
    clock,
    loop,
    bell: bell.value,
    tcp,
    udp,
    doorbell,
    worker,
    trim: (warm) => {
      const tcpHasMore = trimPool(tcpPool, ring, warm);
      const udpHasMore = trimPool(udpPool, ring, warm);
      return pipes.trim() || tcpHasMore || udpHasMore;
    },
    trimOn: () => tcpPool.trimOn(TRIMMED_PER_TURN) || udpPool.trimOn(TRIMMED_PER_TURN),
    release,
  });
  return ok(engine);
}

/** To be called between two turns: then all completions have been seen that are not hidden. */
function trimPool(pool: BufferPool, ring: Ring, warm: number): boolean {
  const unsettled = ring.overflown || pool.settle();
  return pool.trim(warm, TRIMMED_PER_TURN) || unsettled;
}
