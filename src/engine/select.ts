/**
 * Which engine serves: the first that works here, or the one that was named; with reasons. Pure.
 */
import { err, ok, type Result } from '../core/result.js';
import type { EngineName } from '../core/spec.js';

/** One sentence each. */
export interface Lack {
  readonly cause: string;
  readonly remedy: string;
}

/** What the check of this machine said about one engine. */
export type EngineCheck =
  | {
      readonly engine: EngineName;
      readonly state: 'usable';
      readonly note: string;
      /** What it has to do without here, and why. */
      readonly lacks?: Lack;
    }
  | {
      readonly engine: EngineName;
      readonly state: 'unusable';
      /** One sentence each. */
      readonly cause: string;
      readonly remedy: string;
    };

export interface EngineChoice {
  readonly engine: EngineName;
  /** Better engines that this machine does not allow; logged once. */
  readonly passedOver: readonly Extract<EngineCheck, { state: 'unusable' }>[];
  /** What the chosen one has to do without; null: nothing. */
  readonly lacks: Lack | null;
}

/**
 * Chooses among `checks`, which come best first. `auto` passes over what is unusable; a named
 * engine that is unusable is an error, so that no one believes in a speed that is not there.
 */
export function selectEngine(
  wanted: 'auto' | EngineName,
  checks: readonly EngineCheck[],
): Result<EngineChoice, string> {
  const passedOver: Extract<EngineCheck, { state: 'unusable' }>[] = [];
  for (const check of checks) {
    if (wanted !== 'auto' && check.engine !== wanted) continue;
    if (check.state === 'usable') {
      return ok({ engine: check.engine, passedOver, lacks: check.lacks ?? null });
    }
    if (wanted !== 'auto') {
      return err(`engine "${wanted}" cannot run here: ${check.cause}. ${check.remedy}`);
    }
    passedOver.push(check);
  }
  return err(`engine "${wanted}" is not in this version; use "auto"`);
}
