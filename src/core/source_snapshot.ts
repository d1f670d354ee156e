/** A source of backends as people see it: pages, `ctl discovery` and users of the library. */

/**
 * asking: no answer yet. failed: none came. empty, suspicious: the newest answer does not count, or
 * not yet. contradicted: it counts, and none of those that it names is well. In each of them those
 * that are known go on serving.
 */
export type SourceState = 'good' | 'asking' | 'failed' | 'empty' | 'suspicious' | 'contradicted';

export interface SourceSnapshot {
  readonly name: string;
  readonly state: SourceState;
  /** A sentence; '' where the state says all. */
  readonly reason: string;
  /** Since when; null: it is good, or has not answered yet. */
  readonly sinceWallMs: number | null;
  /** When an answer counted last; null: not since the start. */
  readonly countedWallMs: number | null;
  /** When it is asked next; null: it is being asked. */
  readonly nextWallMs: number | null;
  readonly members: number;
  /** Named no more, and here because their probes pass, or because no probe of the others does. */
  readonly held: readonly string[];
}
