/** The io_uring engine: one ring, one loop and both ports in one worker thread. */
import type { WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Doorbell } from '../../core/doorbell.js';
import type { TcpEdges } from '../../session/tcp_port.js';
import type { UdpEdges } from '../../session/udp_port.js';
import { type Engine, type LoopHooks, MAX_TICK_GAP_MS, restMs } from '../engine.js';
import type { Bell } from './bell.js';
import type { Loop } from './loop.js';
import type { UringTcp } from './tcp.js';
import type { UringUdp } from './udp.js';

/**
 * The thread's own event loop (promises, messages) has its turn at least this often, unless the
 * thread rests; nothing that it waits for comes without a ring.
 */
const YIELD_MS = 1_000;
/** A thread rests that has been idle for this long; waking up is all that it costs. */
const IDLE_MS = 2_000;
/**
 * Buffers that were not used for this long give their pages back: twice this is well within the two
 * seconds in which a crowd that has left is to be forgotten, whose targets stood still before.
 */
const TRIM_MS = 400;
/**
 * The first of the buffers that are used, this many, give theirs back each TRIMS_TO_COLD-th time
 * only.
 */
const WARM_BUFFERS = 32;
const TRIMS_TO_COLD = 25;
/** After `stop`: how many turns operations may take to end, and how long each of them waits. */
const STOP_TURNS = 400;
const STOP_TURN_MS = 5;

export interface UringEngineParts {
  readonly clock: Clock;
  readonly loop: Loop;
  readonly bell: Bell;
  readonly tcp: UringTcp;
  readonly udp: UringUdp;
  readonly doorbell: Doorbell;
  readonly worker: WorkerId;
  /** Gives memory back that was needed once, and says whether there will be more. */
  readonly trim: (warmBuffers: number) => boolean;
  /** Goes on with what `trim` has left for other turns; false: nothing. */
  readonly trimOn: () => boolean;
  /** Frees the ring and the memory; nothing may be in flight that still matters. */
  readonly release: () => void;
}

const NO_HOOKS: LoopHooks = { tick: () => Number.POSITIVE_INFINITY, rung: () => {} };

export class UringEngine implements Engine {
  readonly name = 'uring';
  readonly clock: Clock;
  readonly tcp: UringTcp;
  readonly udp: UringUdp;

  readonly #parts: UringEngineParts;
  #state: 'idle' | 'running' | 'stopping' | 'stopped' = 'idle';
  #hooks: LoopHooks = NO_HOOKS;
  #stopTurns = 0;
  #yieldAtMs = 0;
  #trimAtMs = 0;
  #trims = 0;
  #trimming: 'over' | 'under way' = 'over';
  #maxTurnMs = MAX_TICK_GAP_MS;
  /** When something came last. */
  #busyMs = 0;
  #sinceTrim: 'idle' | 'busy' = 'busy';

  constructor(parts: UringEngineParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.tcp = parts.tcp;
    this.udp = parts.udp;
  }

  attach(tcp: TcpEdges, udp: UdpEdges): void {
    this.tcp.attach(tcp);
    this.udp.attach(udp);
  }

  /** Makes the loop give the thread's event loop a turn soon. */
  yieldSoon(): void {
    this.#yieldAtMs = 0;
  }

  async run(hooks: LoopHooks): Promise<void> {
    const { loop } = this.#parts;
    this.start(hooks);
    do {
      if (loop.nowMs >= this.#trimAtMs) this.#trim();
      else if (this.#trimming === 'under way') this.#trimOn();
      if (loop.nowMs < this.#yieldAtMs) continue;
      this.#yieldAtMs = loop.nowMs + YIELD_MS;
      await new Promise((resolve) => setImmediate(resolve));
      loop.wantTick();
    } while (this.turn(this.#longestTurnMs()) !== 'stopped');
  }

  /** What `run` does first; for a caller that drives the turns by itself. */
  start(hooks: LoopHooks): void {
    const { bell, doorbell, worker, loop } = this.#parts;
    this.#hooks = hooks;
    this.#state = 'running';
    this.#busyMs = loop.nowMs;
    bell.listen(() => this.#rung());
    doorbell.hang(worker, bell.fd);
  }

  /** One turn, which blocks for at most `maxWaitMs`. */
  turn(maxWaitMs: number): 'running' | 'stopped' {
    const { loop } = this.#parts;
    if (this.#state === 'stopped') return 'stopped';
    if (this.#state === 'stopping') return this.#stopFurther(maxWaitMs);
    loop.turn(this.#hooks, maxWaitMs);
    if (!loop.wasIdle) {
      this.#busyMs = loop.nowMs;
      this.#sinceTrim = 'busy';
    }
    return 'running';
  }

  stop(): void {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    const { doorbell, worker, tcp, udp } = this.#parts;
    if (this.#state === 'running') doorbell.hang(worker, null);
    this.#state = 'stopping';
    tcp.stop();
    udp.stop();
  }

  #trim(): void {
    const { loop, trim } = this.#parts;
    this.#trimAtMs = loop.nowMs + TRIM_MS;
    // A thread that is about to rest keeps no buffers warm.
    const rests = loop.nowMs - this.#busyMs >= IDLE_MS;
    const isCold = rests || ++this.#trims % TRIMS_TO_COLD === 0;
    const more = trim(isCold ? 0 : WARM_BUFFERS);
    if (more) this.#maxTurnMs = TRIM_MS;
    else this.#maxTurnMs = rests ? restMs(loop.nowMs) : MAX_TICK_GAP_MS;
    this.#sinceTrim = 'idle';
    this.#trimOn();
  }

  #trimOn(): void {
    this.#trimming = this.#parts.trimOn() ? 'under way' : 'over';
  }

  /** Where something was done there may be more to trim. */
  #longestTurnMs(): number {
    if (this.#trimming === 'under way') return 0;
    return this.#sinceTrim === 'busy' ? TRIM_MS : this.#maxTurnMs;
  }

  #stopFurther(maxWaitMs: number): 'running' | 'stopped' {
    const { loop, tcp, udp, release } = this.#parts;
    loop.turn(NO_HOOKS, Math.min(maxWaitMs, STOP_TURN_MS));
    if (!(tcp.quiet && udp.quiet) && ++this.#stopTurns < STOP_TURNS) return 'running';
    loop.ring.submit();
    this.#state = 'stopped';
    release();
    return 'stopped';
  }

  #rung(): void {
    this.yieldSoon();
    this.#parts.loop.wantTick();
    this.#hooks.rung();
  }
}
