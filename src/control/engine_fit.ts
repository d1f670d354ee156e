/** Whether an engine that works here works for all workers at once. Pure. */
import type { EngineCheck } from '../engine/select.js';
import { LOCKED_BYTES_PER_WORKER } from './sizing.js';

/**
 * `checks` for `workers` rings within `lockedBytes` of RLIMIT_MEMLOCK; null: it does not bind this
 * process (CAP_IPC_LOCK, or the kernel does not say).
 */
export function fitEngines(
  checks: readonly EngineCheck[],
  workers: number,
  lockedBytes: number | null,
): readonly EngineCheck[] {
  const wanted = workers * LOCKED_BYTES_PER_WORKER;
  if (lockedBytes === null || wanted <= lockedBytes) return checks;
  return checks.map((check) =>
    check.engine === 'uring' && check.state === 'usable'
      ? {
          engine: check.engine,
          state: 'unusable',
          cause: `the rings of ${workers} workers lock ${wanted} bytes, and RLIMIT_MEMLOCK is ${lockedBytes}`,
          remedy: 'Raise LimitMEMLOCK in the unit (or `ulimit -l`), or set fewer workers.',
        }
      : check,
  );
}
