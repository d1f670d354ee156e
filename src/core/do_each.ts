/** Giving back in full: no step is left out because an earlier one broke. */
import { SharedInvariantError } from './assert.js';

/**
 * Does each step, then throws what broke in them. What others rely on outranks: no wall may take it
 * for the session's own.
 */
export function doEach(...steps: readonly (() => void)[]): void {
  const broken: unknown[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      broken.push(error);
    }
  }
  if (broken.length === 0) return;
  throw broken.find((error) => error instanceof SharedInvariantError) ?? broken[0];
}
