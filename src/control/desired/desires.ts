/** The sources of what is desired, as they are now, and what is reported when an override ends. */
import type { Clock } from '../../core/clock.js';
import type { Spec } from '../../core/spec.js';
import type { Log } from '../../observe/log.js';
import {
  asIfSetFor,
  backendsByName,
  type Desired,
  type DesiredSources,
  type Ended,
  fold,
} from './fold.js';
import {
  lastsAt,
  type Override,
  overridesByTarget,
  subjectOf,
  targetOfOverride,
} from './override.js';

export interface DesiresDeps {
  readonly clock: Pick<Clock, 'wallMs' | 'nowMs'>;
  readonly log: Pick<Log, 'event'>;
  /** The overrides are others now: keeps them over a restart. */
  readonly keep: (overrides: readonly Override[]) => void;
}

/** What events say of an override. */
export function toldOf({
  pool,
  backend,
  kind,
  value,
}: Pick<Override, 'pool' | 'backend' | 'kind' | 'value'>) {
  return {
    pool: pool === '' ? null : pool,
    backend: backend === '' ? null : backend,
    kind,
    value: String(value),
  };
}

/**
 * How long an override waits for a backend that sources do not find now. Later the address may be
 * another member's.
 */
const AWAY_MS = 600_000;

/** What may be looked at. */
export type DesiresNow = Pick<
  Desires,
  'overrides' | 'overridesOf' | 'ofDaemon' | 'holdOf' | 'revision' | 'sources'
>;

export class Desires {
  readonly #deps: DesiresDeps;
  #sources: DesiredSources;
  #byTarget: ReadonlyMap<string, readonly Override[]> | null = null;
  /** Since when backends with overrides are not there, by name; not by the clock on the wall. */
  #awaySince = new Map<string, number>();
  /** Grows with each change of the overrides. */
  #revision = 0;

  constructor(configured: Spec, overrides: readonly Override[], deps: DesiresDeps) {
    this.#deps = deps;
    this.#sources = { configured, overrides };
  }

  get sources(): DesiredSources {
    return this.#sources;
  }

  get overrides(): readonly Override[] {
    return this.#sources.overrides;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Those of one backend. */
  overridesOf(pool: string, backend: string): readonly Override[] {
    if (this.overrides.length === 0) return [];
    this.#byTarget ??= overridesByTarget(this.overrides);
    return this.#byTarget.get(targetOfOverride({ pool, backend })) ?? [];
  }

  /** The level of the log, and clients that are denied. */
  get ofDaemon(): readonly Override[] {
    return this.overrides.filter((one) => subjectOf(one) === 'daemon');
  }

  /** The hold of a pool. */
  holdOf(pool: string): readonly Override[] {
    return this.overridesOf(pool, '').filter(({ kind }) => kind === 'hold');
  }

  /** What would be desired with other sources; nothing is changed by that. */
  with(change: Partial<DesiredSources>): Desired {
    const sources = { ...this.#sources, ...change };
    const found = new Set(
      sources.configured.pools.flatMap(({ name, discovery }) =>
        discovery.length > 0 ? [name] : [],
      ),
    );
    const { clock } = this.#deps;
    return fold(
      sources,
      clock.wallMs(),
      (one) => found.has(one.pool) && !this.#isTooLong(one, clock.nowMs()),
    );
  }

  /** An override has come to its end. */
  get isDue(): boolean {
    const [wallMs, nowMs] = [this.#deps.clock.wallMs(), this.#deps.clock.nowMs()];
    return this.overrides.some((one) => !lastsAt(one, wallMs) || this.#isTooLong(one, nowMs));
  }

  #isTooLong(override: Override, nowMs: number): boolean {
    const sinceMs = this.#awaySince.get(targetOfOverride(override));
    return sinceMs !== undefined && nowMs - sinceMs > AWAY_MS;
  }

  /** `desired` is what is. */
  adopted(desired: Desired): void {
    const isChanged = desired.sources.overrides !== this.#sources.overrides;
    this.#use(desired);
    for (const one of desired.ended) this.#tell(one);
    if (isChanged) this.#deps.keep(desired.sources.overrides);
  }

  /** What is desired with the overrides of another process, which sends and keeps them. */
  following(overrides: readonly Override[]): Desired {
    return this.with({ overrides: asIfSetFor(this.#sources.configured, overrides) });
  }

  /** `desired`, which follows another process, is what is. */
  followed(desired: Desired): void {
    this.#use(desired);
  }

  #use({ sources }: Desired): void {
    const isChanged = sources.overrides !== this.#sources.overrides;
    this.#sources = sources;
    this.#noteWhoIsAway();
    if (!isChanged) return;
    this.#byTarget = null;
    this.#revision++;
  }

  #noteWhoIsAway(): void {
    const here = this.overrides.length === 0 ? null : backendsByName(this.#sources.configured);
    const before = this.#awaySince;
    this.#awaySince = new Map();
    if (here === null) return;
    const nowMs = this.#deps.clock.nowMs();
    for (const one of this.overrides) {
      const target = targetOfOverride(one);
      if (subjectOf(one) !== 'backend') continue;
      if (!here.has(target)) this.#awaySince.set(target, before.get(target) ?? nowMs);
    }
  }

  #tell({ override, why }: Ended): void {
    const { log } = this.#deps;
    const { replaced } = override;
    const about = toldOf(override);
    if (why.kind === 'expired') {
      log.event('override-ended', { ...about, cause: 'expired', by: null });
    } else {
      const configured = why.kind === 'configured' ? String(why.value) : null;
      const gone = `${subjectOf(override)}-removed` as const;
      const cause = why.kind === 'gone' ? gone : 'file-changed';
      log.event('override-dropped', { ...about, cause, before: String(replaced), configured });
    }
  }
}
