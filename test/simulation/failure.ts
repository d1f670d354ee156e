/** A broken invariant of the simulation; the runner adds the seed and the step. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

/** Throws a SimulationFailure with `sentence` unless `condition` holds. */
export function holds(condition: boolean, sentence: () => string): void {
  if (!condition) throw new SimulationFailure(sentence());
}
