/** An application that asks in one way, on demand. Arguments: how, and ports. */
import { askingBy } from './asking.js';
import { type Order, type PeerName, type Report, tell } from './messages.js';

const [name, ...ports] = process.argv.slice(2);
const ask = await askingBy(name as PeerName, ports.map(Number));
process.on('message', (order: Order) => void take(order).then(tell));
tell({ ports: [] });

interface Turn {
  state: 'warming' | 'measuring' | 'over';
  readonly latenciesMs: number[];
  failed: number;
}

async function take({ loop, warmUpMs, measureMs }: Order): Promise<Report> {
  const turn: Turn = { state: 'warming', latenciesMs: [], failed: 0 };
  const running = 'lanes' in loop ? closedLoop(turn, loop.lanes) : openLoop(turn, loop.perSecond);
  await after(warmUpMs);
  turn.state = 'measuring';
  tell({ kind: 'begin' });
  const beganMs = performance.now();
  const before = process.cpuUsage();
  await after(measureMs);
  const { user, system } = process.cpuUsage(before);
  const elapsedMs = performance.now() - beganMs;
  turn.state = 'over';
  const { failed } = turn;
  const sorted = Float64Array.from(turn.latenciesMs).sort();
  await running;
  const at = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
  const [p50Ms, p99Ms] = [at(0.5), at(0.99)];
  const count = sorted.length;
  return { kind: 'end', count, failed, elapsedMs, cpuMicros: user + system, p50Ms, p99Ms };
}

async function closedLoop(turn: Turn, lanes: number): Promise<void> {
  const lane = async (): Promise<void> => {
    while (turn.state !== 'over') await measured(turn, performance.now());
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** A Poisson process; a latency counts from when the request was due. */
async function openLoop(turn: Turn, perSecond: number): Promise<void> {
  const running = new Set<Promise<void>>();
  let dueMs = performance.now();
  while (turn.state !== 'over') {
    for (; dueMs <= performance.now(); dueMs += (1_000 / perSecond) * exponential()) {
      const one = measured(turn, dueMs);
      running.add(one);
      void one.then(() => running.delete(one));
    }
    await after(Math.max(0, dueMs - performance.now()));
  }
  await Promise.all(running);
}

async function measured(turn: Turn, sinceMs: number): Promise<void> {
  try {
    await ask();
  } catch {
    if (turn.state === 'measuring') turn.failed++;
    // So that refusals at once do not keep everything else from happening.
    await after(1);
    return;
  }
  if (turn.state === 'measuring') turn.latenciesMs.push(performance.now() - sinceMs);
}

/** Of mean 1. */
function exponential(): number {
  return -Math.log(1 - Math.random());
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
