/**
 * `npm run simulate:test -- [--seeds 1000] [--first 1] [--steps 800]` runs many seeds and prints
 * what they met; `--seed N` replays one and prints everything that happened in it.
 */
import { parseArgs } from 'node:util';
import { runSeed, STEPS } from './runner.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    steps: { type: 'string', default: String(STEPS) },
  },
});

const steps = Number(values.steps);
const replayed = values.seed === undefined ? null : Number(values.seed);
const first = replayed ?? Number(values.first);
const count = replayed === null ? Number(values.seeds) : 1;
const met = new Map<string, number>();
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  const trace = replayed === null ? () => {} : (line: string) => console.log(line);
  const { failure, counts } = await runSeed(seed, steps, trace);
  for (const [name, times] of counts) met.set(name, (met.get(name) ?? 0) + times);
  if (failure === null) continue;
  failures++;
  console.log(`${failure}\n  replay: npm run simulate:test -- --seed ${seed} --steps ${steps}\n`);
}
for (const [name, times] of [...met].sort(([, a], [, b]) => b - a)) console.log(`${times} ${name}`);
console.log(`${count - failures} of ${count} simulations of ${steps} steps held`);
process.exitCode = failures === 0 ? 0 : 1;
