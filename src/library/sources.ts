/** The sources of a balancer: each is followed by the safety rules of the daemon. */
import type { Clock, Timer, Timers } from '../core/clock.js';
import type { DiscoverySpec, WitnessRules } from '../core/discovery_spec.js';
import type { Proof } from '../core/proof.js';
import type { Random } from '../core/random.js';
import type { Found } from '../discovery/fold_discovered.js';
import { Follower } from '../discovery/follower.js';
import { createSource } from '../discovery/registry.js';
import type { Member, Source, SourceDeps } from '../discovery/source.js';
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
  /** What probes say of a member. */
  readonly proofOf: (member: Member) => Proof;
  /** What was found has changed. */
  readonly changed: () => void;
  readonly defect: (error: unknown) => void;
}

interface Followed {
  readonly follower: Follower;
  readonly whenEmpty: WitnessRules['whenEmpty'];
  readonly maxConnections: number;
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
  get found(): readonly Found[] {
    return [...this.#followed.values()].map(({ follower, maxConnections }) => {
      return { members: follower.members, maxConnections };
    });
  }

  /**
   * Whether that there is nobody is what every source says and may say: one that was silent so far
   * takes nobody away.
   */
  get mayBeEmpty(): boolean {
    return [...this.#followed.values()].every(({ follower, whenEmpty }) => {
      return whenEmpty === 'follow' && follower.view.goodMs !== null;
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
    const keep = (key: string, spec: Rules, make: (deps: SourceDeps) => Source): void => {
      const known = before.get(key);
      before.delete(key);
      const followed = known ?? this.#begin(spec, make);
      this.#followed.set(key, followed);
      if (known === undefined) first.push(followed.follower.start());
    };
    for (const spec of specs) {
      keep(JSON.stringify(spec), spec, (deps) => createSource(spec.source, deps));
    }
    for (const one of registries) {
      const { registry, service, rules, maxConnections } = one;
      const key = JSON.stringify([this.#numberOf(registry), service, rules, maxConnections]);
      keep(key, one, ({ timers }) => registrySource(registry, service, timers));
    }
    for (const { follower } of before.values()) follower.stop();
    if (first.length > 0) await this.#within(Promise.all(first));
  }

  stop(): void {
    this.#state = 'closed';
    for (const { follower } of this.#followed.values()) follower.stop();
  }

  #begin(spec: Rules, make: (deps: SourceDeps) => Source): Followed {
    const { proofOf, changed, defect } = this.#deps;
    const source = make(this.#deps);
    const news = ({ members }: { readonly members: 'changed' | 'same' }): void => {
      if (members === 'changed') changed();
    };
    const follower = new Follower(spec, { ...this.#deps, source, proofOf, news, defect });
    const { maxConnections, rules } = spec;
    return { follower, maxConnections, whenEmpty: rules.whenEmpty };
  }

  async #within(work: Promise<unknown>): Promise<void> {
    let timer: Timer = { cancel: () => {} };
    const late = new Promise<void>((resolve) => {
      timer = this.#deps.waits.after(FIRST_ANSWERS_MS, resolve);
    });
    await Promise.race([work, late]);
    timer.cancel();
  }

  /** Objects have no text by which they could be told apart. */
  #numberOf(registry: Registry): number {
    const known = this.#numbers.get(registry) ?? this.#numbers.size + 1;
    this.#numbers.set(registry, known);
    return known;
  }
}

type Rules = Pick<DiscoverySpec, 'rules' | 'maxConnections'>;
