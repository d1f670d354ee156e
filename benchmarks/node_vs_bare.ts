/**
 * Question: what share of the speed of a bare server of node:net, which only pipes, does sluice on
 * the node engine have? 64-byte exchanges over 50 connections, and whole sessions (connect, one
 * exchange, close). Proxies run on core 0; load and backend on core 1. The proxies take turns over
 * several rounds. Where the load's core is full first, rates come too close to each other: the CPU
 * time that the proxy takes for one operation says more.
 *
 *   node dist/benchmarks/node_vs_bare.js [--proxy engine|daemon] [--rounds 7] [--seconds 2]
 *
 * `engine`: the engine alone, with the shortest session. `daemon`: bin/sluice run.
 */
import { parseArgs } from 'node:util';
import { message, type Order, type Report, WORKS, type Work } from './node_vs_bare/messages.js';
import {
  cpuMicros,
  type Relay,
  startBare,
  startDaemon,
  startEngine,
  startLoad,
} from './node_vs_bare/processes.js';
import { describeMachine } from './support/machine.js';
import { markdownTable, spread } from './support/markdown.js';

interface Sample {
  readonly perSecond: number;
  readonly cpuMicrosEach: number;
}

const { values } = parseArgs({
  options: {
    proxy: { type: 'string', default: 'engine' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
  },
});
const rounds = Number(values.rounds);
const load = await startLoad();
const bare = await startBare(load.backendPort);
const ours = await (values.proxy === 'daemon' ? startDaemon : startEngine)(load.backendPort);
try {
  process.stdout.write(`${describeMachine()}; ${rounds} rounds, median (least–greatest)\n\n`);
  const table = [['work', 'proxy', 'per second', 'CPU of the proxy, µs each', 'rate', 'CPU']];
  for (const work of WORKS) table.push(...(await compare(work)));
  process.stdout.write(`${markdownTable(table)}\n`);
} finally {
  for (const { stop } of [ours, bare, load]) stop();
}

async function compare(work: Work): Promise<string[][]> {
  const samples = new Map<Relay, Sample[]>([
    [bare, []],
    [ours, []],
  ]);
  for (let round = 0; round <= rounds; round++) {
    for (const [proxy, list] of samples) {
      const sample = await measure(work, proxy);
      // The first round compiles.
      if (round > 0) list.push(sample);
    }
  }
  return [...samples].map(([{ name }, list]) => {
    const rates = list.map(({ perSecond }) => perSecond);
    const costs = list.map(({ cpuMicrosEach }) => cpuMicrosEach);
    const beside = samples.get(bare) ?? [];
    return [
      work,
      name,
      spread(rates, 0),
      spread(costs, 1),
      spread(
        rates.map((rate, at) => rate / (beside[at]?.perSecond ?? rate)),
        2,
      ),
      spread(
        costs.map((cost, at) => cost / (beside[at]?.cpuMicrosEach ?? cost)),
        2,
      ),
    ];
  });
}

async function measure(work: Work, proxy: Relay): Promise<Sample> {
  const order: Order = {
    work,
    port: proxy.port,
    connections: 50,
    payloadBytes: 64,
    warmUpMs: 300,
    measureMs: 1_000 * Number(values.seconds),
  };
  load.process.send(order);
  await message<Report>(load.process);
  const before = cpuMicros(proxy.process);
  const report = await message<Report>(load.process);
  const used = cpuMicros(proxy.process) - before;
  if (report.kind !== 'end') throw new Error('the load reports its end');
  return {
    perSecond: (1_000 * report.count) / report.elapsedMs,
    cpuMicrosEach: used / report.count,
  };
}
