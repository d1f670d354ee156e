/** What the demo's clients have seen so far: plain data, so that it can cross threads. */

export interface BackendTally {
  readonly name: string;
  /** Exchanges that it answered. */
  readonly answered: number;
  /** Of all of them, from the client's connect to its answer. */
  readonly totalMs: number;
}

export interface DemoTally {
  readonly backends: readonly BackendTally[];
  readonly failed: number;
  /** Why the last one failed; null: none has. */
  readonly lastFailure: string | null;
  /** How often a backend died. */
  readonly deaths: number;
}

export const NOTHING_YET: DemoTally = { backends: [], failed: 0, lastFailure: null, deaths: 0 };

export function answered({ backends }: DemoTally): number {
  return backends.reduce((sum, backend) => sum + backend.answered, 0);
}

/** What has happened since `earlier`. */
export function tallySince(now: DemoTally, earlier: DemoTally): DemoTally {
  return {
    ...now,
    failed: now.failed - earlier.failed,
    deaths: now.deaths - earlier.deaths,
    backends: now.backends.map((backend) => {
      const before = earlier.backends.find(({ name }) => name === backend.name);
      return {
        name: backend.name,
        answered: backend.answered - (before?.answered ?? 0),
        totalMs: backend.totalMs - (before?.totalMs ?? 0),
      };
    }),
  };
}

/** The part of all answers that came from `backend`, 0 to 1. */
export function shareOf(tally: DemoTally, backend: BackendTally): number {
  return backend.answered / Math.max(1, answered(tally));
}

/** Milliseconds; null: it has answered nothing. */
export function meanMs({ answered: count, totalMs }: BackendTally): number | null {
  return count === 0 ? null : totalMs / count;
}
