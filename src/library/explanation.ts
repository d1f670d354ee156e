/** Why a request would get the backend that it would get. */
import type { Ineligible } from '../core/outcome.js';

export interface Explanation {
  /** The rule of the policy and what it finds now: one sentence. */
  readonly rule: string;
  readonly backends: readonly {
    readonly backend: string;
    readonly eligible: boolean;
    /** null: it is eligible. */
    readonly reason: Ineligible | null;
  }[];
}
