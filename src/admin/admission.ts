/**
 * Which connections make way while as many are served as may be. Further clients wait in the kernel
 * then, in the order in which they came; so one that keeps its place without using it must not keep
 * it for long. Pure.
 */
import { unreachable } from '../core/assert.js';
import type { HttpConnection } from './connection.js';

/** Nothing of an answer was taken for this long: its reader makes way. */
export const STALLED_MS = 500;
/**
 * No whole request came for this long. Programs connect to ask at once; this is for a machine that
 * is so busy that they come to it late.
 */
export const SILENT_MS = 250;

type Served = Pick<HttpConnection, 'phase' | 'unsentBytes'>;

/**
 * Those that have been still for too long: first those that ask nothing, the longest first, then
 * readers. What is being made is not in the way: an order may be half done.
 */
export function inTheWay<One extends Served>(served: Iterable<One>, nowMs: number): readonly One[] {
  return [...served]
    .flatMap((one) => {
      const still = stillnessOf(one);
      return still === null || nowMs - still.sinceMs < PATIENCE_MS[still.kind]
        ? []
        : [{ one, ...still }];
    })
    .sort((a, b) => RANKS[a.kind] - RANKS[b.kind] || a.sinceMs - b.sinceMs)
    .map(({ one }) => one);
}

/** Those that keep their places for as long as it takes: orders, and those that follow. */
export function countBusy(served: Iterable<Pick<Served, 'phase'>>): number {
  return [...served].filter(
    ({ phase }) => phase.at === 'following' || (phase.at === 'making' && phase.what === 'order'),
  ).length;
}

interface Stillness {
  readonly kind: 'silent' | 'stalled';
  readonly sinceMs: number;
}

const PATIENCE_MS = { silent: SILENT_MS, stalled: STALLED_MS } as const;
const RANKS = { silent: 0, stalled: 1 } as const;

/** null: it does what it is there for. */
function stillnessOf({ phase, unsentBytes }: Served): Stillness | null {
  switch (phase.at) {
    case 'making':
      return null;
    case 'reading':
    case 'lingering':
      return { kind: 'silent', sinceMs: phase.sinceMs };
    case 'sending':
      return { kind: 'stalled', sinceMs: phase.movedMs };
    case 'following':
      // Silence is no fault of a reader that has taken all.
      return unsentBytes === 0 ? null : { kind: 'stalled', sinceMs: phase.movedMs };
    default:
      return unreachable(phase);
  }
}
