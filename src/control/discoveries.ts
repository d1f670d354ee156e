/**
 * The sources of all pools: one follower each for as long as the file has it, whatever else of the
 * file changes. What they find is applied at most once per second, all of it together.
 */
import type { Timer } from '../core/clock.js';
import {
  type DiscoverySpec,
  type SourceFailure,
  type SourceSpec,
  sourceName,
} from '../core/discovery_spec.js';
import type { IpEndpoint } from '../core/endpoint.js';
import type { Proof } from '../core/proof.js';
import { sameValue } from '../core/same_value.js';
import type { Spec } from '../core/spec.js';
import { withDiscovered } from '../discovery/fold_discovered.js';
import { Follower, type FollowerNews, type FollowerView } from '../discovery/follower.js';
import { memberKey } from '../discovery/member_sets.js';
import { type Circle, circlesIn, listenersTo } from '../discovery/own_listeners.js';
import type { Remembered } from '../discovery/remembered_text.js';
import type { Member, Source, SourceDeps } from '../discovery/source.js';
import type { Log } from '../observe/log.js';
import { SourceTeller, tellChange } from './discovery_report.js';

/** Between two changes of the daemon because of its sources. */
const APPLY_GAP_MS = 1_000;
/** How long a start or a reload waits for the first answers of sources that are new. */
const FIRST_ANSWERS_MS = 1_000;
/** When the daemon had no room for what was found. */
const AGAIN_MS = 5_000;

export interface DiscoveriesDeps extends SourceDeps {
  readonly log: Log;
  readonly createSource: (spec: SourceSpec, deps: SourceDeps) => Source;
  /** What the process before this one had found. */
  readonly members: readonly Remembered[];
  readonly keepMembers: (members: readonly Remembered[]) => void;
  /** Whether an address is one of this machine. */
  readonly isOwn: (address: IpEndpoint) => boolean;
  /** What probes say of a member of `pool`. */
  readonly proofOf: (pool: string, member: Member) => Proof;
  /** What is desired has changed: the daemon follows, or says that it cannot now. */
  readonly follow: () => Promise<'followed' | 'refused'>;
  /** What broke in a source. */
  readonly defect: (error: unknown) => void;
}

interface Followed {
  readonly pool: string;
  readonly source: string;
  readonly spec: DiscoverySpec;
  readonly follower: Follower;
  readonly sinceMs: number;
  readonly failures: Map<SourceFailure, number>;
  readonly teller: SourceTeller;
  /** Of the sources in whose place it is: they serve until its first answer counts. */
  inherited: readonly Member[];
  taken: readonly Member[];
  /** What of it was left out. */
  circles: readonly Circle[];
  /** In use. */
  applied: readonly Member[];
}

/** For pages and metrics. */
export interface DiscoveryNow extends FollowerView {
  readonly pool: string;
  readonly source: string;
  readonly members: readonly Member[];
  /** Since when it is asked. */
  readonly sinceMs: number;
  /** Questions without an answer, by why. */
  readonly failures: ReadonlyMap<SourceFailure, number>;
}

export class Discoveries {
  readonly #deps: DiscoveriesDeps;
  readonly #followed = new Map<string, Followed>();
  /** As it was kept last: a start, and a source that comes back, begin with it. */
  #kept: readonly Remembered[];
  #appliedMs = Number.NEGATIVE_INFINITY;
  #apply: Timer | null = null;
  #state: 'running' | 'stopped' = 'running';

  constructor(deps: DiscoveriesDeps) {
    this.#deps = deps;
    this.#kept = deps.members;
  }

  /** What has been found until now, and fits `file`, is what `with` has from here on. */
  take(file: Spec): void {
    for (const followed of this.#followed.values()) {
      const all = membersOf(followed);
      followed.circles = circlesIn(all, listenersTo(followed.pool, file), this.#deps.isOwn);
      followed.taken = without(all, followed.circles);
    }
  }

  /** `file` with what its sources had found when `take` was called last. */
  with(file: Spec): Spec {
    return withDiscovered(file, (pool, spec) => this.#followed.get(keyOf(pool, spec))?.taken ?? []);
  }

  /** `file` with what its sources have found until now. */
  expected(file: Spec): Spec {
    return withDiscovered(file, (pool, spec) => {
      const followed = this.#followed.get(keyOf(pool, spec));
      return followed === undefined ? [] : membersOf(followed);
    });
  }

  /** The last good answers, as a start begins with them. */
  get kept(): readonly Remembered[] {
    return this.#kept;
  }

  /** Of every source that is followed. */
  now(): readonly DiscoveryNow[] {
    return [...this.#followed.values()].map((followed) => {
      const { pool, source, follower, sinceMs, failures, inherited, circles } = followed;
      const { remarks, leftOut, ...view } = follower.view;
      return {
        ...view,
        leftOut: [...leftOut, ...circles.map(({ problem }) => problem)],
        remarks: inherited.length === 0 ? remarks : [...remarks, INHERITED],
        pool,
        source,
        members: without(membersOf(followed), circles),
        sinceMs,
        failures,
      };
    });
  }

  /** Begins to follow the sources of `spec` that are new, and gives them a moment to answer. */
  async prepare({ pools }: Spec): Promise<void> {
    const former = [...this.#followed.values()];
    const first: Promise<void>[] = [];
    for (const { name, discovery } of pools) {
      for (const spec of discovery) {
        if (this.#followed.has(keyOf(name, spec))) continue;
        const ofPool = former.filter(({ pool }) => pool === name);
        const left = ofPool.filter(({ source }) => !discovery.some(isNamed(source)));
        const known =
          ofPool.find(({ source }) => isNamed(source)(spec)) ??
          former.find((one) => sameValue(one.spec.source, spec.source));
        const followed = this.#begin(name, spec, known, left.flatMap(membersOf));
        this.#followed.set(keyOf(name, spec), followed);
        // A pool that has members from before need not wait.
        const isNew = followed.follower.members.length === 0;
        const answered = followed.follower.start();
        if (isNew) first.push(answered);
      }
    }
    if (first.length === 0) return;
    let limit: Timer | null = null;
    const late = new Promise<void>((resolve) => {
      limit = this.#deps.timers.after(FIRST_ANSWERS_MS, resolve);
    });
    await Promise.race([Promise.all(first), late]);
    (limit as Timer | null)?.cancel();
  }

  /** Follows no source that is not in `spec`: it is the file in use. */
  keepOnly({ pools }: Spec): void {
    const wanted = new Set(
      pools.flatMap(({ name, discovery }) => discovery.map((spec) => keyOf(name, spec))),
    );
    for (const [key, { follower }] of this.#followed) {
      if (wanted.has(key)) continue;
      follower.stop();
      this.#followed.delete(key);
    }
  }

  /** What was taken is in use now: reports for each source which members came and went. */
  tellChanges(): void {
    const all = [...this.#followed.values()];
    const kept = all.map(({ pool, source, taken }) => ({ pool, source, members: taken }));
    if (!sameValue(kept, this.#kept)) {
      this.#kept = kept;
      this.#deps.keepMembers(kept);
    }
    for (const followed of all) {
      const problems = followed.circles.map(({ problem }) => problem);
      followed.teller.circles(followed, problems, this.#deps.clock.nowMs());
      tellChange(this.#deps.log, followed, followed.applied, followed.taken);
      followed.applied = followed.taken;
    }
  }

  /** Members that left a pool because of their role, since the last call; by pool and address. */
  takeDemoted(): readonly { readonly pool: string; readonly address: string }[] {
    return [...this.#followed.values()].flatMap(({ pool, follower }) =>
      [...follower.takeDemoted()].map((address) => ({ pool, address })),
    );
  }

  stop(): void {
    this.#state = 'stopped';
    this.#apply?.cancel();
    for (const { follower } of this.#followed.values()) follower.stop();
  }

  /**
   * `before`: the same source under other rules, or for another pool; it knows what it knew.
   * `left`: members that would go because the file has this source in the place of another one.
   */
  #begin(
    pool: string,
    spec: DiscoverySpec,
    before: Followed | undefined,
    left: readonly Member[],
  ): Followed {
    const { clock, timers, random, createSource, defect, proofOf } = this.#deps;
    const deps = { clock, timers, random };
    const follower: Follower = new Follower(spec, {
      ...deps,
      source: createSource(spec.source, deps),
      proofOf: (member) => proofOf(pool, member),
      news: (news) => this.#news(followed, news),
      defect,
    });
    const source = sourceName(spec.source);
    const known = before?.follower.members ?? this.#remembered(pool, source);
    if (known.length > 0) follower.restore(known);
    const isSame = before?.pool === pool;
    const inherited = known.length > 0 ? [] : [...(isSame ? before.inherited : []), ...left];
    const followed: Followed = {
      pool,
      source,
      spec,
      follower,
      sinceMs: clock.nowMs(),
      failures: isSame ? before.failures : new Map(),
      teller: isSame ? before.teller : new SourceTeller(this.#deps.log),
      inherited,
      taken: [],
      circles: [],
      applied: isSame ? before.applied : inherited,
    };
    return followed;
  }

  #remembered(pool: string, source: string): readonly Member[] {
    const known = this.#kept.find((one) => one.pool === pool && one.source === source);
    return known?.members ?? [];
  }

  #news(followed: Followed, news: FollowerNews): void {
    const { failures, follower, teller } = followed;
    const { failure } = news;
    if (failure !== null) failures.set(failure, 1 + (failures.get(failure) ?? 0));
    teller.news(followed, follower.view, news, this.#deps.clock.nowMs());
    const isHeir = followed.inherited.length > 0 && follower.view.goodMs !== null;
    if (isHeir) followed.inherited = [];
    if (isHeir || news.members === 'changed') this.#applySoon(APPLY_GAP_MS);
  }

  #applySoon(gapMs: number): void {
    if (this.#apply !== null || this.#state === 'stopped') return;
    const { clock, timers } = this.#deps;
    const delayMs = Math.max(0, this.#appliedMs + gapMs - clock.nowMs());
    this.#apply = timers.after(delayMs, () => {
      this.#apply = null;
      this.#appliedMs = clock.nowMs();
      void this.#deps.follow().then((outcome) => {
        if (outcome === 'refused') this.#applySoon(AGAIN_MS);
      });
    });
  }
}

const INHERITED = 'those of the source that was here before it serve until it answers';

function isNamed(name: string): (spec: DiscoverySpec) => boolean {
  return ({ source }) => sourceName(source) === name;
}

function membersOf({ follower, inherited }: Followed): readonly Member[] {
  return inherited.length > 0 ? inherited : follower.members;
}

function without(members: readonly Member[], circles: readonly Circle[]): readonly Member[] {
  if (circles.length === 0) return members;
  const left = new Set(circles.map(({ member }) => memberKey(member)));
  return members.filter((member) => !left.has(memberKey(member)));
}

function keyOf(pool: string, spec: DiscoverySpec): string {
  return JSON.stringify([pool, spec]);
}
