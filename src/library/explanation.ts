/** Why a request would get the backend that it would get. */
import type { Ineligible } from '../core/outcome.js';

export interface Explanation {
  /** The name of a backend; where the policy draws, one of those that it may be. null: none. */
  readonly chosen: string | null;
  /** The rule of the policy and what it finds now: one sentence. */
  readonly rule: string;
  readonly backends: readonly {
    readonly backend: string;
    readonly eligible: boolean;
    /** null: it is eligible. */
    readonly reason: Ineligible | null;
    /** By which the policy compares; null where it does not, or the backend is not eligible. */
    readonly score: number | null;
  }[];
}
