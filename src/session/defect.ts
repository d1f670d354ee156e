/** How a defect that ended one session, and no more, is reported. */
import { SharedInvariantError } from '../core/assert.js';

/** `listener`: whose session it was; null where none is known. */
export type ReportDefect = (error: unknown, listener: string | null) => void;

/** Reports what a wall has caught; throws on what no wall may contain. */
export function reportUnlessShared(
  report: ReportDefect,
  error: unknown,
  listener: string | null,
): void {
  if (error instanceof SharedInvariantError) throw error;
  report(error, listener);
}
