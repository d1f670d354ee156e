/** A source as people see it: what came last, what is held back, and why. Pure. */
import { few } from '../core/few.js';
import type { SourceSnapshot, SourceState } from '../core/source_snapshot.js';
import type { Doubt } from './doubt.js';
import type { FollowerView } from './follower.js';
import { loggedName } from './member_sets.js';
import type { Member } from './source.js';

/** Of what was left out; `sluice discover` says all of it. */
const MAX_TOLD = 8;

/** `toWallMs`: from the clock of `view` to the wall's. */
export function sourceSnapshot(
  name: string,
  view: FollowerView,
  members: readonly Member[],
  toWallMs: number,
): SourceSnapshot {
  const { held, doubt, goodMs, nextMs } = view;
  const state: SourceState = doubt?.kind ?? (goodMs === null ? 'asking' : 'good');
  return {
    name,
    state,
    reason: reasonOf(view, state === 'good' && members.length === 0 ? 'none' : 'some'),
    sinceWallMs: doubt === null ? null : doubt.sinceMs + toWallMs,
    countedWallMs: goodMs === null ? null : goodMs + toWallMs,
    nextWallMs: nextMs === null ? null : nextMs + toWallMs,
    members: members.length,
    held: held.map(({ member }) => loggedName(member)),
  };
}

/** What an answer, or time, has made of the doubts about a source. */
export function turnOf(before: Doubt | null, now: Doubt | null): 'same' | 'doubted' | 'believed' {
  if (before?.sinceMs === now?.sinceMs && before?.kind === now?.kind) return 'same';
  return now === null ? 'believed' : 'doubted';
}

function reasonOf(view: FollowerView, named: 'none' | 'some'): string {
  const { doubt, leftOut, remarks } = view;
  const parts = [
    ...(doubt === null ? [] : [sentence(doubt)]),
    ...(named === 'none' ? ['it names no member'] : []),
    ...remarks,
    ...(leftOut.length === 0 ? [] : [`left out: ${few(leftOut, MAX_TOLD).join(', ')}`]),
  ];
  return parts.join('; ');
}

function sentence(doubt: Doubt): string {
  switch (doubt.kind) {
    case 'failed':
      return doubt.problem;
    case 'empty':
      return 'it names no member, which does not count';
    case 'suspicious':
      return `it takes away ${doubt.missing.length} of ${doubt.of}, which must repeat to count`;
    case 'contradicted':
      return `none that it names is well; ${doubt.kept.length} that it does not name serve on`;
  }
}
