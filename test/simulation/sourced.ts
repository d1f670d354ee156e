/**
 * What must hold of members whatever their sources say: no lie takes one that is well before its
 * time is over, none empties a pool, and no session ends because of one.
 */
import type { BackendEntry } from '../../src/control/inventory.js';
import type { AccessRecord } from '../../src/core/access.js';
import { formatAddress } from '../../src/core/endpoint.js';
import type { ProbeSpec } from '../../src/core/health_spec.js';
import type { Spec } from '../../src/core/spec.js';
import { holds } from './failure.js';
import type { Scene } from './invariants.js';
import { isFound, RULES, type SimSources } from './sim_sources.js';

/**
 * Longer than a change waits: a member that has been well for this long was so when it was decided.
 */
const WELL_MS = 2_500;
/** Between two looks so far apart it may have been ejected and have come back, unseen. */
const BLIND_MS = 200;
/** What a drain had begun to close closes in its span, and is reported later. */
const DRAIN_MS = 10_000;

interface Seen {
  readonly pool: string;
  readonly probe: ProbeSpec['kind'];
  presence: 'here' | 'gone';
  /** null: it is not well. */
  wellSinceMs: number | null;
  upMs: number;
  /** When it came, or came back. */
  sinceMs: number;
}

export class Sourced {
  readonly #sources: SimSources;
  /** By address: each is of one pool. */
  readonly #seen = new Map<string, Seen>();
  /** Addresses at which sessions were ended by a drain since the last check. */
  readonly #drained = new Set<string>();
  #lastMs = 0;

  constructor(sources: SimSources) {
    this.#sources = sources;
  }

  /** Pools without a source in `spec` have lost their members: an operator says so. */
  adopted({ pools }: Spec): void {
    const followed = new Set(
      pools.filter(({ discovery }) => discovery.length > 0).map(({ name }) => name),
    );
    for (const one of this.#seen.values()) if (!followed.has(one.pool)) one.presence = 'gone';
  }

  note({ protocol, end, backend }: AccessRecord): void {
    const isMember = protocol === 'tcp' && backend !== null && isFound(backend);
    if (isMember && end.cause === 'drained') this.#drained.add(backend);
  }

  check(scene: Scene, spec: Spec): void {
    this.adopted(spec);
    const here = new Map<string, BackendEntry>();
    for (const entry of scene.inventory.backends()) {
      const address = formatAddress(entry.endpoint);
      if (entry.tenure === 'kept' && isFound(address)) here.set(address, entry);
    }
    for (const pool of new Set([...this.#seen.values()].map((one) => one.pool))) {
      this.#checkLeft(pool, here, scene);
    }
    for (const [address, entry] of here) this.#look(address, entry, scene);
    for (const address of this.#drained) {
      const one = this.#seen.get(address);
      // One that has just come back had left before.
      const isHere = one?.presence === 'here' && scene.nowMs - one.sinceMs > DRAIN_MS;
      holds(!isHere, () => `a session was drained at ${address}, which has not left`);
    }
    this.#drained.clear();
    this.#lastMs = scene.nowMs;
  }

  #checkLeft(pool: string, here: ReadonlyMap<string, BackendEntry>, { nowMs }: Scene): void {
    const all = [...this.#seen].filter(([, one]) => one.pool === pool);
    const before = all.filter(([, one]) => one.presence === 'here');
    const left = before.filter(([address]) => !here.has(address));
    for (const [address, one] of left) {
      one.presence = 'gone';
      const wasSeen = nowMs - this.#lastMs < BLIND_MS;
      const isWell = one.wellSinceMs !== null && nowMs - one.wellSinceMs >= WELL_MS && wasSeen;
      // None is held without probes: that is looked at below.
      if (!isWell || one.probe === 'none') continue;
      holds(
        this.#hadItsTime(address, RULES.holdMs, nowMs),
        () => `${address} left although it is well, ${this.#told(address, nowMs)}`,
      );
      const recentMs = this.#lastMs - WELL_MS;
      const others = all.filter(([other, { upMs }]) => other !== address && upMs >= recentMs);
      holds(others.length > 0, () => `${address} left and was the last one that served`);
    }
    const isUnprobed = left.some(([, { probe }]) => probe === 'none');
    if (isUnprobed) this.#checkShare(pool, before, here, nowMs);
  }

  /** Without probes an answer takes half at most before it is confirmed. */
  #checkShare(
    pool: string,
    before: readonly (readonly [string, Seen])[],
    here: ReadonlyMap<string, BackendEntry>,
    nowMs: number,
  ): void {
    const isConfirmed = ([address]: readonly [string, Seen]): boolean =>
      !here.has(address) && this.#hadItsTime(address, RULES.confirmMs, nowMs);
    const confirmed = before.filter(isConfirmed).length;
    const kept = [...here.values()].filter((entry) => entry.pool.spec.name === pool).length;
    holds(
      2 * (kept + confirmed) >= before.length,
      () => `${pool}: ${kept} of ${before.length} are left, ${confirmed} had their time`,
    );
  }

  /** One that is named again when its time is over may leave, and come back at once. */
  #hadItsTime(address: string, limitMs: number, nowMs: number): boolean {
    const { lastMs, backMs, gapMs } = this.#sources.naming(address);
    return nowMs - lastMs >= limitMs || (gapMs >= limitMs && nowMs - backMs <= WELL_MS);
  }

  #told(address: string, nowMs: number): string {
    const { lastMs } = this.#sources.naming(address);
    return `and was named ${Math.round(nowMs - lastMs)} ms ago`;
  }

  #look(address: string, entry: BackendEntry, { nowMs, shared: { ledger } }: Scene): void {
    const known = this.#seen.get(address);
    const before = known?.presence === 'here' ? known : null;
    const wasSeen = nowMs - this.#lastMs < BLIND_MS;
    const isUp = ledger.health(entry.id) === 'up' && ledger.closed(entry.id) === 0;
    this.#seen.set(address, {
      pool: entry.pool.spec.name,
      probe: entry.pool.spec.health.probe.kind,
      presence: 'here',
      wellSinceMs: isUp ? ((wasSeen ? before?.wellSinceMs : null) ?? nowMs) : null,
      upMs: isUp ? nowMs : (before?.upMs ?? Number.NEGATIVE_INFINITY),
      sinceMs: before?.sinceMs ?? nowMs,
    });
  }
}
