/** How far a session has come with the stages of its listener: pure, and one for all stages. */
import { assert, present, unreachable } from '../../core/assert.js';
import type { Cause } from '../../core/outcome.js';
import { type EarlyStage, type Facts, NOTHING_KNOWN } from './stage.js';

export interface EarlyReading {
  readonly stages: readonly EarlyStage[];
  /** The stage whose turn it is. */
  readonly at: number;
  readonly facts: Facts;
  /** How many of the client's bytes the stages have consumed. */
  readonly consumed: number;
}

/** What the client's bytes have led to. */
export type ReadingStep =
  | {
      readonly kind: 'need-more';
      readonly reading: EarlyReading;
      readonly answers: readonly Uint8Array[];
    }
  | { readonly kind: 'refuse'; readonly cause: Cause; readonly reading: EarlyReading }
  | {
      readonly kind: 'done';
      readonly reading: EarlyReading;
      readonly answers: readonly Uint8Array[];
    };

const NO_ANSWERS: readonly Uint8Array[] = [];

export function beginReading(stages: readonly EarlyStage[]): EarlyReading {
  return { stages, at: 0, facts: NOTHING_KNOWN, consumed: 0 };
}

/** `bytes`: all of the client so far, of which there are never more than `limitBytes`. */
export function readOn(begun: EarlyReading, bytes: Uint8Array, limitBytes: number): ReadingStep {
  let reading = begun;
  let answers = NO_ANSWERS;
  for (;;) {
    const stage = reading.stages[reading.at];
    if (stage === undefined) return { kind: 'done', reading, answers };
    const answer = stage.read(bytes.subarray(reading.consumed), reading.facts);
    switch (answer.kind) {
      case 'need-more':
        if (bytes.length < limitBytes) return { kind: 'need-more', reading, answers };
        return { kind: 'refuse', cause: stage.tooLarge, reading };
      case 'refuse':
        return { kind: 'refuse', cause: answer.cause, reading };
      case 'answer':
        assert(answer.consumed > 0, 'an answer follows something that was said');
        answers = [...answers, answer.bytes];
        reading = after(reading, answer, reading.at, bytes);
        break;
      case 'next':
        reading = after(reading, answer, reading.at + 1, bytes);
        break;
      default:
        return unreachable(answer);
    }
  }
}

/** The end of a session whose time is over. */
export function lateCause({ stages, at }: EarlyReading): Cause {
  return present(stages[at], 'a reading is at a stage until it is done').late;
}

function after(
  { stages, consumed }: EarlyReading,
  answer: { readonly facts: Facts; readonly consumed: number },
  at: number,
  bytes: Uint8Array,
): EarlyReading {
  const total = consumed + answer.consumed;
  assert(total <= bytes.length, 'a stage consumes what has come');
  return { stages, at, facts: answer.facts, consumed: total };
}
