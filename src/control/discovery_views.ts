/** Sources of backends as people see them, by pool. */
import type { Clock } from '../core/clock.js';
import type { SourceSnapshot } from '../core/source_snapshot.js';
import { sourceSnapshot } from '../discovery/source_view.js';
import type { Discoveries } from './discoveries.js';

export interface SourceView extends Pick<SourceSnapshot, 'name' | 'state' | 'reason'> {
  readonly pool: string;
}

/** All of them, in a list. */
export function sourcesNow(discoveries: Discoveries): readonly SourceView[] {
  return discoveries.now().map(({ pool, source, members, ...view }) => {
    const { name, state, reason } = sourceSnapshot(source, view, members, 0);
    return { pool, name, state, reason };
  });
}

/** By pool. */
export function sourceViews(
  discoveries: Discoveries,
  clock: Clock,
): ReadonlyMap<string, readonly SourceSnapshot[]> {
  const views = new Map<string, SourceSnapshot[]>();
  const toWallMs = clock.wallMs() - clock.nowMs();
  for (const { pool, source, members, ...view } of discoveries.now()) {
    const known = views.get(pool) ?? [];
    views.set(pool, [...known, sourceSnapshot(source, view, members, toWallMs)]);
  }
  return views;
}
