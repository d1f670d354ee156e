/** Runs simulations one after the other; a failure prints its seed and step. */
import { Simulation } from './simulation.js';

/** About half a minute of simulated time. */
export const STEPS = 800;

export interface Outcome {
  readonly seed: number;
  /** null: everything held. */
  readonly failure: string | null;
  readonly counts: ReadonlyMap<string, number>;
}

export async function runSeed(
  seed: number,
  steps: number,
  trace: (line: string) => void = () => {},
): Promise<Outcome> {
  const simulation = new Simulation(seed, trace);
  const { journal } = simulation;
  const rejected = (reason: unknown): void => journal.fail(reason);
  process.on('unhandledRejection', rejected);
  try {
    await simulation.run(steps);
    return { seed, failure: null, counts: journal.counts };
  } catch (error) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const failure = `seed ${seed}, step ${simulation.step}: ${told}`;
    return { seed, failure, counts: journal.counts };
  } finally {
    process.off('unhandledRejection', rejected);
  }
}
