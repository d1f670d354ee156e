/** Giving back in full: no step is left out because an earlier one broke. */
import { SharedInvariantError } from './assert.js';

/**
 * Does each step for `subject`, then throws what broke in them. What others rely on outranks: no
 * wall may take it for the session's own. The steps of what happens for each session are made once,
 * because a new function costs its first call more than what it does.
 */
export function doEach<T>(subject: T, steps: readonly ((subject: T) => void)[]): void {
  let broken: unknown[] | null = null;
  for (const step of steps) {
    try {
      step(subject);
    } catch (error) {
      broken = [...(broken ?? []), error];
    }
  }
  if (broken === null) return;
  throw broken.find((error) => error instanceof SharedInvariantError) ?? broken[0];
}
