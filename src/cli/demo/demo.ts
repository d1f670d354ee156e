/**
 * `sluice demo`: the whole daemon in front of embedded servers and clients, to see it work. No
 * file, no root, and every port is one that is free.
 */
import type { AdminViews } from '../../admin/views.js';
import { type Embedded, startEmbedded } from '../../control/embedded.js';
import { systemClock } from '../../system/clock.js';
import { onSignal } from '../../system/signals.js';
import { systemTimers } from '../../system/timers.js';
import type { LineSink } from '../check.js';
import { WordReader, type Words } from '../word_reader.js';
import { demoSpec } from './demo_spec.js';
import type { DemoTarget } from './exchange.js';
import { introduction, type Moment, summary } from './picture.js';
import { DemoScreen, type DemoTerminal } from './screen.js';
import { type DemoTally, NOTHING_YET } from './tally.js';
import { DEMO_CLIENTS } from './traffic.js';
import { TrafficWorker } from './traffic_worker.js';

/** Shares and means are those of this time. */
const RECENT_MS = 2_000;

/**
 * Runs for the time of `--for`, or until SIGINT or SIGTERM. The exit code: 0 good, 1 the daemon
 * could not start or a client noticed something, 2 wrong usage.
 */
export async function demo(
  words: Words,
  version: string,
  stdout: DemoTerminal = process.stdout,
  stderr: LineSink = process.stderr,
): Promise<0 | 1 | 2> {
  const reader = new WordReader(words, { engine: 'auto' });
  const limitMs = reader.text('for') === null ? null : reader.duration('for');
  const traffic = new TrafficWorker();
  try {
    const spec = demoSpec(reader.text('engine') ?? '', await traffic.open());
    if (!spec.ok) reader.problems.push(`--engine: ${spec.error}`);
    if (!spec.ok || reader.problems.length > 0) {
      stderr.write(reader.problems.map((problem) => `${problem}\n`).join(''));
      return 2;
    }
    const started = await startEmbedded(spec.value, version);
    if (started.ok) return await perform(started.value, traffic, stdout, untilOver(limitMs));
    stderr.write(`sluice: ${started.error}\n`);
    return 1;
  } finally {
    await traffic.end();
  }
}

async function perform(
  { views, admin, stop }: Embedded,
  traffic: TrafficWorker,
  stdout: DemoTerminal,
  over: Promise<void>,
): Promise<0 | 1> {
  const health = views.health();
  stdout.write(`${introduction(health, admin, DEMO_CLIENTS).join('\n')}\n`);
  const beganMs = systemClock.nowMs();
  const elapsedMs = (): number => systemClock.nowMs() - beganMs;
  traffic.begin(targetOf(health.listeners[0]?.addresses[0] ?? ''));
  await show(new DemoScreen(stdout), over, (earlier) => ({
    elapsedMs: elapsedMs(),
    health: views.health(),
    tally: traffic.tally,
    earlier,
  }));
  const tally = await traffic.finish();
  const lastMs = elapsedMs();
  const retries = await dialsRetried(views);
  await stop();
  stdout.write(`\n${summary(tally, lastMs, retries).join('\n')}\n`);
  return tally.failed === 0 ? 0 : 1;
}

/** Resolves at the first signal to stop, or after `limitMs`; a second signal ends the process. */
function untilOver(limitMs: number | null): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      onSignal(signal, () => {
        signals++;
        if (signals > 1) process.exit(1);
        resolve();
      });
    }
    if (limitMs !== null) systemTimers.after(limitMs, resolve);
  });
}

/** Shows a picture at each interval of `screen` until the demo is over. */
async function show(
  screen: DemoScreen,
  over: Promise<void>,
  look: (earlier: DemoTally) => Moment,
): Promise<void> {
  const recentPictures = RECENT_MS / screen.intervalMs;
  const seen: DemoTally[] = [];
  let state: 'going on' | 'over' = 'going on';
  const draw = (): void => {
    if (state === 'over') return;
    const moment = look(seen.at(-recentPictures) ?? seen[0] ?? NOTHING_YET);
    seen.push(moment.tally);
    if (seen.length > recentPictures) seen.shift();
    screen.show(moment);
    systemTimers.after(screen.intervalMs, draw);
  };
  systemTimers.after(screen.intervalMs, draw);
  await over;
  state = 'over';
}

/** Of `host:port`. */
function targetOf(address: string): DemoTarget {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** The balancer's own count, from its metrics. */
async function dialsRetried(views: AdminViews): Promise<number> {
  const samples = (await views.metrics()).matchAll(/^sluice_retries_total\{.*\} (\d+)$/gm);
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
