/** What the log says of sources: one line when something begins, and one when it is over. */
import { few } from '../core/few.js';
import type { FollowerNews, FollowerView } from '../discovery/follower.js';
import { memberKey, nameOf } from '../discovery/member_sets.js';
import type { Member } from '../discovery/source.js';
import type { Doubt } from '../discovery/witness.js';
import type { Log } from '../observe/log.js';

/** Names in one line; the others are counted. */
const MAX_TOLD = 32;

interface Told {
  readonly pool: string;
  readonly source: string;
  readonly spec: { readonly rules: { readonly confirmMs: number } };
}

/** After each answer, and each look at time. */
export function tellNews(log: Log, told: Told, view: FollowerView, news: FollowerNews): void {
  const { pool, source } = told;
  const { doubt } = view;
  if (doubt?.sinceMs === news.before?.sinceMs && doubt?.kind === news.before?.kind) return;
  if (doubt !== null) tellDoubt(log, told, doubt);
  else log.event('discovery-recovered', { pool, source, before: news.before?.kind ?? null });
}

/** What an answer left out, when it is no longer the same. */
export function tellLeftOut(log: Log, { pool, source }: Told, leftOut: readonly string[]): void {
  if (leftOut.length === 0) return;
  log.event('discovery-left-out', { pool, source, problems: few(leftOut, MAX_TOLD) });
}

/** Who came and who went. */
export function tellChange(
  log: Log,
  { pool, source }: Pick<Told, 'pool' | 'source'>,
  before: readonly Member[],
  now: readonly Member[],
): void {
  const added = without(now, before);
  const removed = without(before, now);
  if (added.length + removed.length === 0) return;
  log.event('discovery-changed', {
    pool,
    source,
    added: few(added, MAX_TOLD),
    removed: few(removed, MAX_TOLD),
    backends: now.length,
  });
}

function tellDoubt(log: Log, { pool, source, spec }: Told, doubt: Doubt): void {
  const labels = { pool, source };
  switch (doubt.kind) {
    case 'failed':
      log.event('discovery-failed', { ...labels, cause: doubt.failure, detail: doubt.problem });
      return;
    case 'empty':
      log.event('discovery-empty', labels);
      return;
    case 'suspicious': {
      const removed = few(doubt.missing, MAX_TOLD);
      const limits = { backends: doubt.of, limit_ms: spec.rules.confirmMs };
      log.event('discovery-suspicious', { ...labels, removed, ...limits });
      return;
    }
    case 'contradicted':
      log.event('discovery-contradicted', { ...labels, kept: few(doubt.kept, MAX_TOLD) });
  }
}

function without(all: readonly Member[], some: readonly Member[]): string[] {
  const known = new Set(some.map(memberKey));
  return all.filter((member) => !known.has(memberKey(member))).map(nameOf);
}
