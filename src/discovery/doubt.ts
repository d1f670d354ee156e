/** Why an answer is not believed, or not yet, or not all of it. */
import type { SourceFailure } from '../core/discovery_spec.js';

/** Why the newest answer changes nothing, or not yet, or not all that it says. */
export type Doubt =
  | {
      readonly kind: 'failed';
      readonly failure: SourceFailure;
      readonly problem: string;
      readonly sinceMs: number;
    }
  /** It names no member, and that must not count. */
  | { readonly kind: 'empty'; readonly sinceMs: number }
  /** It takes away `missing` of `of` members. */
  | {
      readonly kind: 'suspicious';
      readonly missing: readonly string[];
      readonly of: number;
      readonly sinceMs: number;
    }
  /** None of those that it names serves, and `kept`, which it does not name, do. */
  | {
      readonly kind: 'contradicted';
      readonly kept: readonly string[];
      readonly sinceMs: number;
    };
