/**
 * Loaded by every thread of a tortured daemon before anything else: makes the engine as small as
 * the program wants it, and lets a signal end a worker thread as a defect would.
 *
 * A worker of the node engine throws. To terminate it from outside would be another defect than
 * sluice can have: Node.js aborts the process when it terminates a thread that has datagrams
 * waiting. One of the uring engine does not return to its event loop, where it would learn of this.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import type { WorkerStart } from '../../src/control/worker_protocol.js';
import { SIZES } from '../../src/engine/uring/means.js';

/** Ends the worker that was started last; a signal that the daemon itself does not use. */
export const LOSE_WORKER: NodeJS.Signals = 'SIGPWR';
/** What a thread of the node engine throws by order. */
export const DEFECT = 'a defect that the torture put in';
export const SIZES_VARIABLE = 'SLUICE_TORTURE_SIZES';

Object.assign(SIZES, JSON.parse(process.env[SIZES_VARIABLE] ?? '{}'));

const { isMainThread, parentPort, Worker } = workerThreads;

if (process.env[SIZES_VARIABLE] !== undefined) {
  if (isMainThread) loseWhenTold();
  else parentPort?.on('message', throwInThread).unref();
}

function loseWhenTold(): void {
  let lose = (): void => {};
  workerThreads.Worker = class extends Worker {
    constructor(program: string | URL, options: WorkerOptions) {
      super(program, options);
      const { engine } = (options.workerData as { readonly start: WorkerStart }).start;
      lose = () => void (engine === 'node' ? this.postMessage('throw') : this.terminate());
    }
  };
  syncBuiltinESMExports();
  process.on(LOSE_WORKER, () => lose());
}

function throwInThread(): never {
  throw new Error(DEFECT);
}
