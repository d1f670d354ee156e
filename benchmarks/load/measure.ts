/** Runs one command: load flows, warms up, is measured, and is gone again. */
import { unreachable } from '../../src/core/assert.js';
import type { Backend, Behaviour } from './backend.js';
import { Bulk } from './bulk.js';
import type { Clients } from './clients.js';
import { Exchanges } from './exchanges.js';
import { Held } from './held.js';
import type { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import { OfferedLoad } from './offered.js';
import type { Latencies, Measured, Task, Work } from './protocol.js';
import { Refusals } from './refusals.js';
import { ShortConnections } from './short.js';
import { readUsage, spentBetween, threadSeconds } from './watch.js';
import type { Workload } from './workload.js';

/** After a measurement, until the proxy has closed its side, too. */
const EMPTY_MS = 10_000;
/** A span that took this much longer than it should have: this process stood still meanwhile. */
const STANDSTILL_MS = 2_000;

export interface Load {
  readonly loop: LoadLoop;
  readonly backend: Backend;
  readonly clients: Clients;
}

export function measure(load: Load, task: Task): Measured {
  const { loop, backend } = load;
  backend.behaviour = behaviourFor(task.work);
  const workload = workloadFor(load, task);
  try {
    workload.begin();
    const measured = measureWindow(workload, task);
    if (measured.count > 0 || task.work.kind === 'held') return measured;
    throw new Error('nothing came back');
  } finally {
    workload.end();
    loop.until('the end of all sessions', () => backend.open === 0, EMPTY_MS);
  }
}

function measureWindow(workload: Workload, task: Task): Measured {
  runFor(workload, task.warmMs);
  workload.latency?.clear();
  const earlier = { count: workload.count, failures: workload.failures };
  const before = readUsage(task.pids);
  const threads = task.perThread ? threadSeconds(task.pids) : null;
  runFor(workload, task.measureMs);
  const after = readUsage(task.pids);
  const spent = spentBetween(before, after);
  if (spent.seconds * 1000 > task.measureMs + STANDSTILL_MS) {
    throw new Error(`${task.measureMs} ms took ${Math.round(spent.seconds * 1000)} ms`);
  }
  return {
    seconds: spent.seconds,
    count: workload.count - earlier.count,
    failures: workload.failures - earlier.failures,
    proxyCpuSeconds: task.pids.length === 0 ? null : spent.cpuSeconds,
    proxyUserShare: spent.userShare,
    busy: spent.busy,
    stolen: spent.stolen,
    ...(workload.latency === null ? {} : { latencyNs: latencies(workload.latency) }),
    ...(workload instanceof Held ? { memory: workload.memory } : {}),
    ...(threads === null ? {} : { threads: since(threads, threadSeconds(task.pids)) }),
  };
}

function since(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const used = [...now].map(([thread, all]) => [thread, all - (before.get(thread) ?? 0)]);
  return Object.fromEntries(used);
}

function runFor(workload: Workload, spanMs: number): void {
  const endMs = performance.now() + spanMs;
  while (performance.now() < endMs) workload.turn();
}

function behaviourFor(work: Work): Behaviour {
  if (work.kind === 'bulk') {
    return { kind: 'stream', flow: work.direction === 'up' ? 'listens' : 'sends' };
  }
  return { kind: 'echo', bytes: 'bytes' in work ? work.bytes : 64 };
}

function workloadFor({ loop, clients, backend }: Load, task: Task): Workload {
  const { target, work } = task;
  switch (work.kind) {
    case 'exchanges':
      return new Exchanges(loop, clients, target, work);
    case 'short':
      return new ShortConnections(loop, clients, target, work);
    case 'refused':
      return new Refusals(loop, clients, target, work);
    case 'offered':
      return new OfferedLoad(loop, clients, target, work);
    case 'bulk':
      return new Bulk(loop, clients, backend.streams, target, work);
    case 'held':
      return new Held(loop, clients, target, work, task.pids);
    default:
      return unreachable(work);
  }
}

function latencies(histogram: Histogram): Latencies {
  return {
    p50: histogram.quantile(0.5),
    p90: histogram.quantile(0.9),
    p99: histogram.quantile(0.99),
    p999: histogram.quantile(0.999),
    greatest: histogram.greatest,
  };
}
