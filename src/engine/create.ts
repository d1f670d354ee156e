/** Makes the engine of a worker by its name. */
import { unreachable } from '../core/assert.js';
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Doorbell } from '../core/doorbell.js';
import type { PortRange } from '../core/port_range.js';
import { err, ok, type Result } from '../core/result.js';
import type { EngineName } from '../core/spec.js';
import { loadKernel } from '../kernel/foreign.js';
import type { Holdings } from '../kernel/holdings.js';
import type { Engine, EngineLimits } from './engine.js';
import { createNodeEngine } from './node/engine.js';
import { createUringEngine } from './uring/create.js';

export interface CreateDeps {
  readonly limits: EngineLimits;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly doorbell: Doorbell;
  readonly worker: WorkerId;
  readonly holdings: Holdings;
  /**
   * Called with the datagram socket by which the event loop can be found, if it has one
   * (kernel/mute.ts).
   */
  readonly polls: (fd: number | null) => void;
  /** What connect(2) takes source ports from now; null: unknown. */
  readonly sourcePorts: () => PortRange | null;
  /** The engine goes on without a part of it: a sentence, with the remedy. */
  readonly degraded: (sentence: string) => void;
}

/** The engine, or a sentence that says why it could not be made. */
export function createEngine(name: EngineName, deps: CreateDeps): Result<Engine, string> {
  const loaded = loadKernel();
  const kernel = loaded.ok ? deps.holdings.through(loaded.value, deps.worker) : null;
  switch (name) {
    case 'node':
      return ok(createNodeEngine(deps.limits, { ...deps, kernel }));
    case 'uring': {
      if (kernel === null) return err('engine "uring" needs foreign calls');
      const made = createUringEngine({ ...deps, kernel });
      return made.ok ? made : err(made.error.sentence);
    }
    case 'epoll':
      return err(`engine "${name}" is not in this version`);
    default:
      return unreachable(name);
  }
}
