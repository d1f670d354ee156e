/** A wall around one thing of many that are done one after the other. */
import { SharedInvariantError } from './assert.js';

/** Does `work`. A defect in it is reported, and ends no more than it, unless others rely on it. */
export function contain(work: () => void, defect: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof SharedInvariantError) throw error;
    defect(error);
  }
}
