/**
 * `npm run torture -- --engine uring [--seeds N] [--seconds S] [--first F] [--jobs J]` runs random
 * programs against the real daemon; `--seed X` replays one, `--times N` several times. A failure
 * is reduced for at most `--reduce S` seconds and printed. The last line sums up, and the exit code
 * is 1 if anything was found.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { EngineUnderTest } from '../support/daemon.js';
import { nowMs } from '../support/deadline.js';
import { generate } from './generate.js';
import { connectionsEndedForMemory } from './kernel_memory.js';
import type { Program } from './program.js';
import { reduce } from './reduce.js';
import { type Finding, runProgram } from './run_program.js';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'uring' },
    seeds: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '60' },
    first: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
    seed: { type: 'string' },
    times: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(2 * availableParallelism()) },
    reduce: { type: 'string', default: '60' },
  },
});

const engine: EngineUnderTest = values.engine === 'node' ? 'node' : 'uring';
const replayed = values.seed === undefined ? null : Number(values.seed);
const seeds = replayed === null ? Number(values.seeds) : Number(values.times);
const untilMs = nowMs() + (replayed === null ? Number(values.seconds) * 1000 : Infinity);
const first = replayed ?? Number(values.first);
const failures: { readonly program: Program; readonly findings: readonly Finding[] }[] = [];
let begun = 0;
let programs = 0;
/** Programs that the machine had too little memory for. */
let starved = 0;
let sessions = 0;

const work = async (): Promise<void> => {
  while (begun < seeds && nowMs() < untilMs) {
    const seed = replayed ?? first + begun;
    begun++;
    const program = generate(seed, engine);
    const endedBefore = connectionsEndedForMemory();
    const outcome = await runProgram(program);
    if (connectionsEndedForMemory() > endedBefore) {
      starved++;
      continue;
    }
    programs++;
    sessions += outcome.sessions;
    if (outcome.findings.length === 0) continue;
    failures.push({ program, findings: outcome.findings });
    tell(program, outcome.findings);
  }
};

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
const reduced = new Set<string>();
for (const { program, findings } of failures) {
  const kind = findings[0]?.kind ?? '';
  if (reduced.has(kind) || Number(values.reduce) === 0) continue;
  reduced.add(kind);
  const smaller = await reduce(program, kind, Number(values.reduce) * 1000);
  console.log(`\nseed ${program.seed} on ${engine}, reduced (${kind}):\n${text(smaller)}`);
}
const kinds = new Map<string, number>();
for (const { findings } of failures) {
  for (const kind of new Set(findings.map((one) => one.kind))) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
}
for (const [kind, count] of kinds) console.log(`${count} programs: ${kind}`);
const last = first + Math.max(0, begun - 1);
console.log(
  `torture on ${engine}: seeds ${first} to ${replayed ?? last}, ${programs} programs, ` +
    `${sessions} sessions, ${failures.length} findings`,
);
if (starved > 0) console.log(`${starved} more were not judged: the kernel lacked TCP memory`);
process.exitCode = failures.length === 0 ? 0 : 1;

function tell(program: Program, findings: readonly Finding[]): void {
  console.log(`\nseed ${program.seed} on ${engine}:`);
  for (const { kind, detail } of findings.slice(0, 8)) console.log(`  ${kind}: ${detail}`);
  if (findings.length > 8) console.log(`  and ${findings.length - 8} more`);
  console.log(`  replay: npm run torture -- --engine ${engine} --seed ${program.seed}`);
}

/** One line for each part of the program. */
function text(program: Program): string {
  const { listeners, pools, clients, flows, acts, ...setup } = program;
  const parts = { listeners, pools, clients, flows, acts };
  return [
    JSON.stringify(setup),
    ...Object.entries(parts).flatMap(([name, list]) =>
      list.map((one) => `${name}: ${JSON.stringify(one)}`),
    ),
  ].join('\n');
}
