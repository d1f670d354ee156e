/**
 * What the library costs by itself: a choice with its settlement, and a request over the bare call.
 * `npm run build && node dist/benchmarks/micro/library.js`: medians of rounds, with the spread.
 */
import { performance } from 'node:perf_hooks';
import { createBalancer } from '../../src/library/create.js';

const ROUNDS = 15;
const TURNS = 50_000;
const BACKENDS = 100;

const backends = Array.from({ length: BACKENDS }, (_, index) => `10.0.0.${index + 1}:80`);
const balancer = await createBalancer({ backends, health: { probe: 'none' } });
const bare = async (): Promise<number> => 1;

/** Microseconds of CPU a turn, so that other programs on the machine do not count. */
async function costUs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let turn = 0; turn < TURNS; turn++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TURNS;
}

function pickUs(): number {
  const before = process.cpuUsage();
  for (let turn = 0; turn < TURNS; turn++) balancer.pick().succeeded(1);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TURNS;
}

function told(name: string, rounds: readonly number[]): string {
  const sorted = rounds.toSorted((a, b) => a - b);
  const [least = 0, median = 0, most = 0] = [0, ROUNDS >> 1, ROUNDS - 1].map((at) => sorted[at]);
  return `${name}: ${median.toFixed(2)} µs (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

const picks: number[] = [];
const requests: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  picks.push(pickUs());
  const call = await costUs(bare);
  requests.push((await costUs(() => balancer.execute(bare))) - call);
}
console.log(`Node.js ${process.version}, ${BACKENDS} backends, ${ROUNDS} rounds of ${TURNS}`);
console.log(told('pick and succeeded', picks));
console.log(told('execute over a bare call', requests));
console.log(`in ${(performance.now() / 1000).toFixed(0)} s`);
