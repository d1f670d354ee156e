/** The sources of a balancer: each is followed by the safety rules of the daemon. */
import { unreachable } from '../core/assert.js';
import type { Clock, Timer, Timers } from '../core/clock.js';
import { type DiscoverySpec, sourceName, type WitnessRules } from '../core/discovery_spec.js';
import type { Proof } from '../core/proof.js';
import type { Random } from '../core/random.js';
import { sameValue } from '../core/same_value.js';
import type { SourceSnapshot } from '../core/source_snapshot.js';
import type { Doubt } from '../discovery/doubt.js';
import type { Discovered } from '../discovery/fold_discovered.js';
import { Follower, type FollowerNews } from '../discovery/follower.js';
import { createSource } from '../discovery/registry.js';
import type { Member, Source, SourceDeps } from '../discovery/source.js';
import { sourceSnapshot, turnOf } from '../discovery/source_view.js';
import type { Counts } from './counts.js';
import type { Tell } from './events.js';
import { type Registry, registrySource } from './registry_source.js';

/** A registry of the application, and how far it is believed. */
export interface FollowedRegistry {
  readonly registry: Registry;
  readonly service: string;
  readonly rules: WitnessRules;
  readonly maxConnections: number;
}

export interface SourcesDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly waits: Timers;
  readonly random: Random;
  /** The name of the balancer, for events. */
  readonly name: string;
  readonly counts: Counts;
  readonly tell: Tell;
  /** What probes say of a member. */
  readonly proofOf: (member: Member) => Proof;
  /** What was found has changed. */
  readonly changed: () => void;
  readonly defect: (error: unknown) => void;
}

interface Followed extends Rules {
  /** How people call the source. */
  readonly name: string;
  readonly follower: Follower;
  /** Since when it is asked. */
  readonly sinceMs: number;
  /** What was reported last. */
  leftOut: readonly string[];
}

/** How long a start or an update waits for the first answers of sources that are new. */
const FIRST_ANSWERS_MS = 1_000;

export class Sources {
  readonly #deps: SourcesDeps;
  #followed = new Map<string, Followed>();
  readonly #numbers = new Map<Registry, number>();
  #state: 'open' | 'closed' = 'open';

  constructor(deps: SourcesDeps) {
    this.#deps = deps;
  }

  /** What each source has found, in their order. */
  get found(): readonly Discovered[] {
    return [...this.#followed.values()].map(({ follower, maxConnections }) => {
      return { members: follower.members, maxConnections };
    });
  }

  get snapshot(): readonly SourceSnapshot[] {
    const { clock } = this.#deps;
    const toWallMs = clock.wallMs() - clock.nowMs();
    return [...this.#followed.values()].map(({ name, follower }) => {
      return sourceSnapshot(name, follower.view, follower.members, toWallMs);
    });
  }

  /** By name: seconds since an answer last counted, or since the source was first asked. */
  get ages(): ReadonlyMap<string, number> {
    const nowMs = this.#deps.clock.nowMs();
    const ages = [...this.#followed.values()].map(({ name, follower, sinceMs }) => {
      return [name, (nowMs - (follower.view.goodMs ?? sinceMs)) / 1_000] as const;
    });
    return new Map(ages);
  }

  /** Addresses of backends that left because of their role, since the last call. */
  takeDemoted(): readonly string[] {
    return [...this.#followed.values()].flatMap(({ follower }) => [...follower.takeDemoted()]);
  }

  /**
   * Whether the set may be empty: every source must have said so, and be allowed to; one that was
   * silent so far removes nothing.
   */
  get mayBeEmpty(): boolean {
    return [...this.#followed.values()].every(({ follower, rules }) => {
      return rules.whenEmpty === 'follow' && follower.view.goodMs !== null;
    });
  }

  /** Follows exactly these; those that are new get a moment to answer. */
  async follow(
    specs: readonly DiscoverySpec[],
    registries: readonly FollowedRegistry[],
  ): Promise<void> {
    if (this.#state === 'closed') return;
    const before = this.#followed;
    this.#followed = new Map();
    const first: Promise<void>[] = [];
    const keep = (key: string, name: string, spec: Rules, make: Make): void => {
      const known = before.get(key);
      before.delete(key);
      const followed = known ?? this.#begin(name, spec, make);
      this.#followed.set(key, followed);
      if (known === undefined) first.push(followed.follower.start());
    };
    for (const spec of specs) {
      const name = sourceName(spec.source);
      keep(JSON.stringify(spec), name, spec, (deps) => createSource(spec.source, deps));
    }
    for (const one of registries) {
      const { registry, service, rules, maxConnections } = one;
      const key = JSON.stringify([this.#numberOf(registry), service, rules, maxConnections]);
      const name = `registry ${service}`;
      keep(key, name, one, ({ timers }) => registrySource(registry, service, timers));
    }
    for (const { follower } of before.values()) follower.stop();
    if (first.length > 0) await this.#within(Promise.all(first));
  }

  stop(): void {
    this.#state = 'closed';
    for (const { follower } of this.#followed.values()) follower.stop();
  }

  #begin(name: string, { rules, maxConnections }: Rules, make: Make): Followed {
    const follower: Follower = new Follower(
      { rules },
      {
        ...this.#deps,
        source: make(this.#deps),
        news: (news) => this.#news(followed, news),
      },
    );
    const sinceMs = this.#deps.clock.nowMs();
    const followed: Followed = { name, rules, maxConnections, follower, sinceMs, leftOut: [] };
    return followed;
  }

  #news(followed: Followed, { members, failure, before }: FollowerNews): void {
    const { name: pool, counts, tell, changed } = this.#deps;
    const { name: source, follower, rules } = followed;
    const { doubt, leftOut } = follower.view;
    if (failure !== null) counts.sourceFailure(source, failure);
    if (turnOf(before, doubt) !== 'same') {
      if (doubt !== null) this.#tellDoubt({ pool, source }, doubt, rules);
      else tell('discovery-recovered', { pool, source, before: before?.kind ?? '' });
    }
    if (leftOut.length > 0 && !sameValue(leftOut, followed.leftOut)) {
      tell('discovery-left-out', { pool, source, problems: leftOut });
    }
    followed.leftOut = leftOut;
    if (members === 'changed') changed();
  }

  #tellDoubt(
    of: { readonly pool: string; readonly source: string },
    doubt: Doubt,
    { confirmMs: limitMs }: WitnessRules,
  ): void {
    const { tell } = this.#deps;
    switch (doubt.kind) {
      case 'failed':
        tell('discovery-failed', { ...of, cause: doubt.failure, detail: doubt.problem });
        return;
      case 'empty':
        tell('discovery-empty', of);
        return;
      case 'suspicious': {
        const { missing: removed, of: backends } = doubt;
        tell('discovery-suspicious', { ...of, removed, backends, limitMs });
        return;
      }
      case 'contradicted':
        tell('discovery-contradicted', { ...of, kept: doubt.kept });
        return;
      default:
        return unreachable(doubt);
    }
  }

  async #within(work: Promise<unknown>): Promise<void> {
    let timer: Timer = { cancel: () => {} };
    const late = new Promise<void>((resolve) => {
      timer = this.#deps.waits.after(FIRST_ANSWERS_MS, resolve);
    });
    await Promise.race([work, late]);
    timer.cancel();
  }

  /** Objects have no text by which they could be distinguished. */
  #numberOf(registry: Registry): number {
    const known = this.#numbers.get(registry) ?? this.#numbers.size + 1;
    this.#numbers.set(registry, known);
    return known;
  }
}

type Rules = Pick<DiscoverySpec, 'rules' | 'maxConnections'>;
type Make = (deps: SourceDeps) => Source;
