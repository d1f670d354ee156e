/**
 * Makes a failing program smaller for as long as it fails in the same way: parts of each list are
 * left out, halves first (delta debugging; Zeller and Hildebrandt, 2002).
 */
import { poolsOf } from '../../src/core/routes.js';
import { nowMs } from '../support/deadline.js';
import type { Program } from './program.js';
import { runProgram } from './run_program.js';

/** Races do not show each time. */
const TRIES = 2;
const TIMES_AT_ONCE = 3;

export async function reduce(program: Program, kind: string, limitMs: number): Promise<Program> {
  const untilMs = nowMs() + limitMs;
  let smallest = program;
  const fails = async (candidate: Program): Promise<boolean> => {
    for (let tried = 0; tried < TRIES && nowMs() < untilMs; tried++) {
      const runs = Array.from({ length: TIMES_AT_ONCE }, () => runProgram(candidate));
      const outcomes = await Promise.all(runs);
      if (outcomes.some(({ findings }) => findings.some((one) => one.kind === kind))) return true;
    }
    return false;
  };
  const shrink = async <T>(
    list: readonly T[],
    build: (part: readonly T[]) => Program,
  ): Promise<void> => {
    let left = list;
    for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < left.length && nowMs() < untilMs; ) {
        const part = [...left.slice(0, at), ...left.slice(at + size)];
        if (await fails(build(part))) {
          left = part;
          smallest = build(part);
        } else at += size;
      }
    }
  };
  await shrink(smallest.acts, (acts) => ({ ...smallest, acts }));
  await shrink(smallest.flows, (flows) => ({ ...smallest, flows }));
  await shrink(smallest.clients, (clients) => ({ ...smallest, clients }));
  for (const { id } of smallest.clients.slice(0, 4)) {
    const steps = smallest.clients.find((client) => client.id === id)?.steps ?? [];
    await shrink(steps, (part) => ({
      ...smallest,
      clients: smallest.clients.map((one) => (one.id === id ? { ...one, steps: part } : one)),
    }));
  }
  return withoutUnused(smallest);
}

/** Listeners and pools that are not used say nothing. */
function withoutUnused(program: Program): Program {
  const used = new Set([...program.clients, ...program.flows].map(({ listener }) => listener));
  const listeners = program.listeners.filter(({ name }) => used.has(name));
  const pools = program.acts.some((act) => act.do === 'reload')
    ? program.pools
    : program.pools.filter(({ name }) => listeners.some((one) => poolsOf(one).includes(name)));
  return { ...program, listeners, pools };
}
