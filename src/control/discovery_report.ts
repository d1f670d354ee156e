/** What the log says of sources: one line when something begins, and one when it is over. */
import { few } from '../core/few.js';
import { sameValue } from '../core/same_value.js';
import type { Doubt } from '../discovery/doubt.js';
import type { FollowerNews, FollowerView } from '../discovery/follower.js';
import { loggedName, memberKey } from '../discovery/member_sets.js';
import type { Member } from '../discovery/source.js';
import { turnOf } from '../discovery/source_view.js';
import type { Log } from '../observe/log.js';

/** Names in one line; the others are counted. */
const MAX_TOLD = 32;

/**
 * One that fails again within this time after it has recovered answers now and then: that is
 * reported once, and its end when it has been well for this long.
 */
const STEADY_MS = 60_000;

interface Told {
  readonly pool: string;
  readonly source: string;
  readonly spec: { readonly rules: { readonly confirmMs: number } };
}

const NEVER = { from: null, atMs: 0 };

/** What is reported of one source, and what was. */
export class SourceTeller {
  readonly #log: Log;
  /** What the log has last of its doubt; null: nothing, or that it is over. */
  #doubt: Doubt | null = null;
  /** From what, and when. */
  #recovered: { readonly from: Doubt['kind']; readonly atMs: number } | null = null;
  #answers: 'steadily' | 'now and then' = 'steadily';
  /** Well again, and not reported yet. */
  #well: { readonly sinceMs: number; readonly before: Doubt['kind'] } | null = null;
  readonly #leftOut = new LastList();
  readonly #remarks = new LastList();
  readonly #circles = new LastList();

  constructor(log: Log) {
    this.#log = log;
  }

  /** After each answer, and each look at time. */
  news(told: Told, view: FollowerView, { before }: FollowerNews, nowMs: number): void {
    this.#tellDoubt(told, view.doubt, before, nowMs);
    const { pool, source } = told;
    if (this.#leftOut.isNew(view.leftOut, nowMs)) {
      const problems = few(view.leftOut, MAX_TOLD);
      this.#log.event('discovery-left-out', { pool, source, problems });
    }
    if (this.#remarks.isNew(view.remarks, nowMs)) {
      const problems = few(view.remarks, MAX_TOLD);
      this.#log.event('discovery-remark', { pool, source, problems });
    }
  }

  /** Members that would lead back to where they are led to from. */
  circles({ pool, source }: Told, all: readonly string[], nowMs: number): void {
    if (!this.#circles.isNew(all, nowMs)) return;
    this.#log.event('discovery-left-out', { pool, source, problems: few(all, MAX_TOLD) });
  }

  #tellDoubt(told: Told, doubt: Doubt | null, before: Doubt | null, nowMs: number): void {
    const isSame = turnOf(before, doubt) === 'same';
    if (doubt !== null) {
      const isKnown = this.#well !== null && isAlike(doubt, this.#doubt);
      this.#well = null;
      if (isSame) return;
      const { from, atMs } = this.#recovered ?? NEVER;
      if (from === doubt.kind && nowMs - atMs < STEADY_MS) this.#answers = 'now and then';
      if (isKnown) return;
      this.#doubt = doubt;
      tellDoubt(this.#log, told, doubt);
      return;
    }
    if (before !== null) this.#well = { sinceMs: nowMs, before: before.kind };
    const well = this.#well;
    if (well === null) return;
    if (this.#answers === 'now and then' && nowMs - well.sinceMs < STEADY_MS) return;
    const { pool, source } = told;
    this.#log.event('discovery-recovered', { pool, source, before: well.before });
    this.#well = null;
    this.#doubt = null;
    this.#recovered = { from: well.before, atMs: nowMs };
    this.#answers = 'steadily';
  }
}

/** Whether a list of problems is worth a line: not the same again a moment later. */
class LastList {
  #told: readonly string[] = [];
  #seenMs = Number.NEGATIVE_INFINITY;

  isNew(all: readonly string[], nowMs: number): boolean {
    if (all.length === 0) return false;
    const isRecent = nowMs - this.#seenMs < STEADY_MS;
    this.#seenMs = nowMs;
    if (isRecent && sameValue(all, this.#told)) return false;
    this.#told = all;
    return true;
  }
}

/**
 * A failure has other words each time; a suspicion is the same while it is about the same members.
 */
function isAlike(doubt: Doubt, told: Doubt | null): boolean {
  if (doubt.kind === 'suspicious' && told?.kind === 'suspicious') {
    return sameValue(doubt.missing, told.missing);
  }
  return doubt.kind === told?.kind;
}

/** Which members came and which went. */
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
  return all.filter((member) => !known.has(memberKey(member))).map(loggedName);
}
