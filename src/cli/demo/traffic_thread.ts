/**
 * The entry of the demo's traffic thread: servers and clients share it, so that the main thread
 * stays free for what it has to do in a real daemon.
 */
import { parentPort } from 'node:worker_threads';
import { present, unreachable } from '../../core/assert.js';
import { systemClock } from '../../system/clock.js';
import { systemRandom } from '../../system/random.js';
import { systemTimers } from '../../system/timers.js';
import { Traffic } from './traffic.js';
import type { FromTraffic, ToTraffic } from './traffic_worker.js';

const TALLY_MS = 250;

const port = present(parentPort, 'this file runs as a thread');
const post = (message: FromTraffic): void => port.postMessage(message);
const traffic = new Traffic({ clock: systemClock, timers: systemTimers, random: systemRandom });

port.on('message', (message: ToTraffic) => {
  switch (message.kind) {
    case 'begin':
      traffic.begin(message.target);
      return tell();
    case 'finish':
      traffic.finish().then(() => post({ kind: 'finished', tally: traffic.tally() }));
      return;
    default:
      return unreachable(message);
  }
});

post({ kind: 'open', backends: await traffic.open() });

function tell(): void {
  post({ kind: 'tally', tally: traffic.tally() });
  systemTimers.after(TALLY_MS, tell);
}
