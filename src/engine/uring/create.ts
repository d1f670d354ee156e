/** Makes an engine on the thread that will run it, or says what could not be had. */
import type { WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Doorbell } from '../../core/doorbell.js';
import { err, ok, type Result } from '../../core/result.js';
import { BufferPool } from '../../kernel/buffer_pool.js';
import type { KernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { type MappedMemory, mapMemory, releaseMemory } from '../../kernel/memory.js';
import { Ring } from '../../kernel/ring.js';
import { SocketCalls } from '../../kernel/socket_calls.js';
import type { EngineLimits } from '../engine.js';
import { addressMemoryBytes } from './addresses.js';
import { Bell } from './bell.js';
import { Delays } from './delays.js';
import { dialMemoryBytes } from './dials.js';
import { UringEngine } from './engine.js';
import { Loop } from './loop.js';
import { UringTcp } from './tcp.js';

/** Submissions that are collected before the kernel is entered for lack of room. */
const RING_ENTRIES = 4096;
/** Room for the completions of one turn; more of them wait inside the kernel. */
const RING_COMPLETIONS = 16_384;

/** The buffers of all TCP sessions: 64 MiB of addresses, and as much memory as was ever in use. */
const TCP_POOL = { group: 1, count: 1024, bufferBytes: 65_536 } as const;

export interface UringOptions {
  readonly kernel: Kernel;
  readonly limits: EngineLimits;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly worker: WorkerId;
}

export function createUringEngine(options: UringOptions): Result<UringEngine, KernelError> {
  const { kernel, limits, clock, doorbell, worker } = options;
  const undo: (() => void)[] = [];
  const release = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  const failed = (error: KernelError): Result<never, KernelError> => {
    release();
    return err(error);
  };
  const memory = (bytes: number): Result<MappedMemory, KernelError> => {
    const mapped = mapMemory(kernel, bytes);
    if (mapped.ok) undo.push(() => releaseMemory(kernel, mapped.value));
    return mapped;
  };

  const ring = Ring.open(kernel, RING_ENTRIES, RING_COMPLETIONS);
  if (!ring.ok) return ring;
  undo.push(() => ring.value.close());
  const pool = BufferPool.create(kernel, ring.value, TCP_POOL);
  if (!pool.ok) return failed(pool.error);
  undo.push(() => pool.value.close());
  const calls = SocketCalls.create(kernel);
  if (!calls.ok) return failed(calls.error);
  const clientAddresses = memory(addressMemoryBytes(limits.pairs));
  if (!clientAddresses.ok) return failed(clientAddresses.error);
  const dialAddresses = memory(dialMemoryBytes(limits.pairs));
  if (!dialAddresses.ok) return failed(dialAddresses.error);
  const loop = new Loop(ring.value, clock);
  const bell = Bell.create(kernel, loop);
  if (!bell.ok) return failed(bell.error);

  const delays = new Delays(loop);
  const means = {
    kernel,
    loop,
    delays,
    pool: pool.value,
    calls: calls.value,
    clientAddresses: clientAddresses.value,
    dialAddresses: dialAddresses.value,
  };
  const tcp = new UringTcp(means, limits.pairs, () => engine.yieldSoon());
  loop.add(delays);
  const engine: UringEngine = new UringEngine({
    clock,
    loop,
    bell: bell.value,
    tcp,
    doorbell,
    worker,
    release,
  });
  return ok(engine);
}
