/**
 * A thread with nothing but a loop: it reports each ring of its doorbell, and stops at the fourth.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerId } from '../../../src/core/brand.js';
import { Doorbell } from '../../../src/core/doorbell.js';
import { Loop } from '../../../src/engine/node/loop.js';
import { systemClock } from '../../../src/system/clock.js';
import { systemTimers } from '../../../src/system/timers.js';

const doorbell = new Doorbell(workerData as SharedArrayBuffer, () => {});
const loop = new Loop({
  doorbell,
  clock: systemClock,
  timers: systemTimers,
  worker: 0 as WorkerId,
  isIdle: () => false,
});
let rings = 0;
loop.start({
  tick: () => Number.POSITIVE_INFINITY,
  rung: () => {
    rings++;
    if (rings < 4) parentPort?.postMessage(rings);
    else loop.stop();
  },
});
parentPort?.postMessage(rings);
