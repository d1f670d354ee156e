/**
 * Drives a blocking io_uring engine on the test's own thread: short turns between turns of the
 * event loop, so that clients and backends in the same process go on.
 */
import { present } from '../../src/core/assert.js';
import type { WorkerId } from '../../src/core/brand.js';
import type { Clock } from '../../src/core/clock.js';
import { createDoorbellMemory, Doorbell } from '../../src/core/doorbell.js';
import type { EngineLimits, LoopHooks } from '../../src/engine/engine.js';
import { createUringEngine } from '../../src/engine/uring/create.js';
import type { UringEngine } from '../../src/engine/uring/engine.js';
import { SIZES, type Sizes } from '../../src/engine/uring/means.js';
import { ringBell } from '../../src/kernel/descriptor.js';
import { type Kernel, loadKernel } from '../../src/kernel/foreign.js';
import { systemClock } from '../../src/system/clock.js';

export interface DrivenEngine {
  readonly engine: UringEngine;
  readonly doorbell: Doorbell;
  /** Drives turns until `engine.stop()` has done its work. */
  run(hooks: LoopHooks): Promise<void>;
}

/** One for all engines of a test file, because an eventfd in it is never closed. */
const BELLS = createDoorbellMemory();

/** The foreign calls of this machine. */
export function testKernel(): Kernel {
  const loaded = loadKernel();
  return present(loaded.ok ? loaded.value : null, 'foreign calls work on this machine');
}

/** `kernel`: a wrapper that injects failures; the real one by default. */
export function drivenUringEngine(
  limits: EngineLimits,
  clock: Clock = systemClock,
  kernel: Kernel = testKernel(),
  sizes: Sizes = SIZES,
): DrivenEngine {
  const doorbell = new Doorbell(BELLS, (fd) => ringBell(kernel, fd));
  const worker = 0 as WorkerId;
  const shared = { kernel, limits, clock, sourcePorts: () => null };
  const made = createUringEngine({ ...shared, doorbell, worker, sizes });
  if (!made.ok) throw new Error(made.error.sentence);
  const engine = made.value;
  return {
    engine,
    doorbell,
    async run(hooks) {
      engine.start(hooks);
      while (engine.turn(0) === 'running') {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
