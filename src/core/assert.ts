/** Broken invariants crash with a sentence; outcomes are values and never pass through here. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws an InvariantError with `sentence` unless `condition` is true. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new InvariantError(sentence);
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
