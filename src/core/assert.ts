/** Broken invariants crash with a sentence; outcomes are values and never pass through here. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws an InvariantError with `sentence` unless `condition` is true. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new InvariantError(sentence);
}

/**
 * A broken invariant of state that sessions share (the ledger, a queue, the buffers, the ring, the
 * numbers of pairs): no session can be ended to contain it, so it ends the thread.
 */
export class SharedInvariantError extends InvariantError {}

/** As `assert`, for what other sessions rely on too: the thread ends, and not the session only. */
export function assertShared(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new SharedInvariantError(sentence);
}

/** As `present`, for what other sessions rely on too. */
export function presentShared<T>(value: T | undefined | null, sentence: string): T {
  if (value === undefined || value === null) throw new SharedInvariantError(sentence);
  return value;
}

/** What could not be contained: throws `error` so that no wall catches it any more. */
export function escalate(error: unknown): never {
  if (error instanceof SharedInvariantError) throw error;
  throw new SharedInvariantError(error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

/** Ends a `switch` over a closed union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${String(value)}`);
}

/** The value, or an InvariantError with `sentence` when it is undefined or null. */
export function present<T>(value: T | undefined | null, sentence: string): T {
  if (value === undefined || value === null) throw new InvariantError(sentence);
  return value;
}
