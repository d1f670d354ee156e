/**
 * Loaded by every thread of a tortured daemon before anything else: makes the engine as small as
 * the program wants it, and lets a signal end a worker thread as a defect would.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';
import { SIZES } from '../../src/engine/uring/means.js';

/** Ends the worker that was started last; a signal that the daemon itself does not use. */
export const LOSE_WORKER: NodeJS.Signals = 'SIGPWR';
export const SIZES_VARIABLE = 'SLUICE_TORTURE_SIZES';

Object.assign(SIZES, JSON.parse(process.env[SIZES_VARIABLE] ?? '{}'));

if (workerThreads.isMainThread && process.env[SIZES_VARIABLE] !== undefined) {
  const started: workerThreads.Worker[] = [];
  workerThreads.Worker = class extends workerThreads.Worker {
    constructor(...args: ConstructorParameters<typeof workerThreads.Worker>) {
      super(...args);
      started.push(this);
    }
  };
  syncBuiltinESMExports();
  process.on(LOSE_WORKER, () => void started.at(-1)?.terminate());
}
