/** Sources of backends as people see them: what came last, what is held back, and why. */
import type { SourceView } from '../admin/views.js';
import type { Clock } from '../core/clock.js';
import { few } from '../core/few.js';
import type { Doubt } from '../discovery/doubt.js';
import { nameOf } from '../discovery/member_sets.js';
import type { Discoveries, DiscoveryNow } from './discoveries.js';

/** Of what was left out; `sluice discover` says all of it. */
const MAX_TOLD = 8;

/** By pool. */
export function sourceViews(
  discoveries: Discoveries,
  clock: Clock,
): ReadonlyMap<string, readonly SourceView[]> {
  const views = new Map<string, SourceView[]>();
  const toWallMs = clock.wallMs() - clock.nowMs();
  for (const now of discoveries.now()) {
    views.set(now.pool, [...(views.get(now.pool) ?? []), viewOf(now, toWallMs)]);
  }
  return views;
}

function viewOf(now: DiscoveryNow, toWallMs: number): SourceView {
  const { source, members, held, doubt, goodMs, nextMs } = now;
  return {
    name: source,
    state: stateOf(now),
    reason: reasonOf(now),
    sinceWallMs: doubt === null ? null : doubt.sinceMs + toWallMs,
    countedWallMs: goodMs === null ? null : goodMs + toWallMs,
    nextWallMs: nextMs === null ? null : nextMs + toWallMs,
    members: members.length,
    held: held.map(({ member }) => nameOf(member)),
  };
}

function stateOf({ doubt, goodMs }: DiscoveryNow): SourceView['state'] {
  return doubt?.kind ?? (goodMs === null ? 'asking' : 'good');
}

function reasonOf(now: DiscoveryNow): string {
  const { doubt, members, leftOut, remarks } = now;
  const nobody = stateOf(now) === 'good' && members.length === 0;
  const parts = [
    ...(doubt === null ? [] : [sentence(doubt)]),
    ...(nobody ? ['it names nobody'] : []),
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
      return 'it names nobody, which does not count';
    case 'suspicious':
      return `it takes away ${doubt.missing.length} of ${doubt.of}, which must repeat to count`;
    case 'contradicted':
      return `none that it names is well; ${doubt.kept.length} that it does not name serve on`;
  }
}
