/**
 * The state of every backend as control decides it: verdicts of probes, ejections by real traffic,
 * ramps and drains. It writes the ledger, wakes the workers, and remembers the reasons for people.
 */
import { formatAddress } from '../core/endpoint.js';
import type { BackendSpec } from '../core/spec.js';
import type { KnownHealth } from '../health/known.js';
import type { VerdictEvent } from '../health/target.js';
import { Weights } from '../pool/weights.js';
import { Administration } from './administration.js';
import { BackendProbes } from './backend_probes.js';
import type { BackendBoardDeps } from './board_deps.js';
import { Closings } from './closings.js';
import { GoneNames } from './gone_names.js';
import { DEMOTED, namesOf, targetKey } from './health_targets.js';
import type { BackendEntry, InventoryChange } from './inventory.js';
import type { Restated } from './restating.js';
import { SourceWatch } from './source_watch.js';
import type { KnownPassive } from './upgrade/known_backends.js';

export class BackendBoard {
  readonly probes: BackendProbes;
  readonly sources: SourceWatch;
  readonly #deps: BackendBoardDeps;
  readonly #weights: Weights;
  readonly #closings: Closings;
  readonly #administration: Administration;
  readonly #goneNames: GoneNames;
  #state: 'watching' | 'stopped' = 'watching';
  readonly #ramping = new Set<BackendEntry>();

  constructor(deps: BackendBoardDeps) {
    this.#deps = deps;
    this.#weights = new Weights(deps.ledger);
    this.#goneNames = new GoneNames(deps.inventory, (names) => deps.counters.forget(names));
    this.#closings = new Closings(deps, {
      empty: (entry, cause) => {
        if (cause !== 'removed') {
          deps.log.event('backend-empty', { ...namesOf(entry), cause });
          return;
        }
        this.#weights.forget(entry.id);
        deps.log.event('backend-drained', namesOf(entry));
        deps.drained(entry);
      },
    });
    this.#administration = new Administration({
      ledger: deps.ledger,
      drains: this.#closings.drains,
      returned: (entry, nowMs) => this.#returned(entry, nowMs),
    });
    this.sources = new SourceWatch({ ...deps, changed: () => this.#watchAll() });
    const sourceFor: SourceWatch['sourceFor'] = (pool, to) => this.sources.sourceFor(pool, to);
    this.probes = new BackendProbes(
      { ...deps, sourceFor },
      {
        verdict: (entry, event) => this.#verdict(entry, event),
        share: (entry, share) => this.#share(entry, share),
      },
    );
  }

  /** Follows a new Spec: what arrived is watched, what stayed keeps its state. */
  update(change: InventoryChange): void {
    const now = this.#deps.clock.nowMs();
    // First, because a new entry may get a row of theirs.
    for (const entry of change.gone) this.gone(entry);
    for (const entry of change.arrived) this.#arrive(entry);
    for (const entry of change.returned) {
      this.#closings.drains.cancel(entry);
      this.#administration.forget(entry);
      this.#deps.rebalances.returned(entry, now);
      this.#tellArrival(entry);
    }
    for (const entry of this.#deps.inventory.backends()) {
      if (entry.tenure === 'leaving') continue;
      this.#administration.follow(entry, now);
      this.#write(entry, now);
    }
    this.#deps.ejections.update(this.#deps.inventory);
    for (const entry of change.arrived) {
      const { ejection } = this.#deps.before.passiveOf(targetKey(entry));
      if (ejection !== null) this.#deps.ejections.resume(entry, ejection, now);
    }
    this.#closings.follow(this.#deps.inventory.pools.values(), now);
    this.#watchAll();
    this.#deps.before.forget();
    this.sources.follow();
    this.#deps.ring();
  }

  /** What real traffic has decided about `entry`, and since when it ramps; null: nothing. */
  passiveOf(entry: BackendEntry): KnownPassive {
    const returnedMs = this.#weights.returnedMs(entry.id);
    return { returnedMs, ejection: this.#deps.ejections.memoryOf(entry) };
  }

  /** What differs of these are their states, weights and caps, and no more. */
  restated(changes: readonly Restated[]): void {
    const now = this.#deps.clock.nowMs();
    this.#deps.together(() => {
      for (const { entry } of changes) {
        this.#administration.follow(entry, now);
        this.#write(entry, now);
        this.#deps.changed(entry);
      }
    });
    this.#closings.follow(this.#deps.inventory.pools.values(), now);
    this.#deps.ring();
    const isOut = ({ admin }: BackendSpec): boolean => admin === 'maintenance';
    if (changes.some(({ entry, before }) => isOut(entry.spec) !== isOut(before))) this.#watchAll();
  }

  #watchAll(): void {
    if (this.#state === 'stopped') return;
    const { inventory, together, before } = this.#deps;
    const known = (key: string): KnownHealth | null => before.verdictOf(key)?.health ?? null;
    together(() => this.probes.watch(inventory.backends(), known));
  }

  /**
   * What left drains from now on. To be called when the workers know what is there instead: until
   * then a pool that is replaced as a whole has no others.
   */
  drain(departed: readonly BackendEntry[]): void {
    for (const entry of departed) {
      this.#closings.drains.begin(entry, 'removed', this.#deps.clock.nowMs());
      this.#deps.log.event('backend-removed', {
        ...namesOf(entry),
        address: formatAddress(entry.endpoint),
        sessions: this.#deps.ledger.active(entry.id),
        limit_ms: entry.pool.spec.drainTimeoutMs,
      });
    }
    if (departed.length > 0) this.#deps.ring();
  }

  /** It left because its role is another one now: its sessions end as those of one that is down. */
  demoted(pool: string, address: string): void {
    for (const entry of this.#deps.inventory.pools.get(pool)?.backends.values() ?? []) {
      if (entry.tenure !== 'leaving' || formatAddress(entry.spec.address) !== address) continue;
      const { onDown, onDownSpreadMs } = entry.pool.spec;
      if (onDown === 'close') this.#closings.end(entry, 'backend-down', onDownSpreadMs);
    }
  }

  /** It left, and no session counts on it. */
  gone(entry: BackendEntry): void {
    this.#closings.drains.forget(entry);
    this.#ramping.delete(entry);
    this.#weights.forget(entry.id);
    this.#deps.log.event('backend-drained', namesOf(entry));
    this.forgetNames(entry);
  }

  /** It carries no session any more: what was counted of it goes some time later. */
  forgetNames(entry: BackendEntry): void {
    this.#goneNames.add(namesOf(entry), this.#deps.clock.nowMs());
  }

  /** True while no backend ramps, drains or is ejected. */
  get isCalm(): boolean {
    return this.#ramping.size === 0 && this.#closings.idle && this.#deps.ejections.idle;
  }

  /** True when nothing else is due, either. */
  get isStill(): boolean {
    return this.isCalm && this.#goneNames.idle && this.#deps.rebalances.idle;
  }

  /** Moves ramps, drains and ejections on; called several times per second unless it is calm. */
  look(nowMs: number): void {
    this.#closings.look(nowMs);
    this.#goneNames.look(nowMs);
    for (const { entry, returned } of this.#deps.ejections.look(nowMs)) {
      if (returned) this.#returned(entry, nowMs);
      this.#write(entry, nowMs);
      this.#deps.changed(entry);
      this.#deps.ring();
    }
    this.#deps.rebalances.look(nowMs);
    if (this.#ramping.size === 0) return;
    for (const entry of [...this.#ramping]) this.#write(entry, nowMs);
    this.#deps.ring();
  }

  /** True while sessions of a backend that left may still count on its row. */
  drains(entry: BackendEntry): boolean {
    return this.#closings.drains.has(entry);
  }

  /** The share of its weight that `entry` asks for by its probes: 1 is all of it. */
  shareOf(entry: BackendEntry): number {
    return this.#weights.share(entry.id);
  }

  /** Why real traffic has taken `entry` out. */
  ejectionOf(entry: BackendEntry): string {
    return this.#deps.ejections.reasonOf(entry, this.#deps.clock.nowMs());
  }

  stop(): Promise<void> {
    this.#state = 'stopped';
    this.sources.stop();
    return this.probes.stop();
  }

  #verdict(entry: BackendEntry, event: VerdictEvent): void {
    const { ledger, clock, counters, log } = this.#deps;
    const before = ledger.health(entry.id);
    if (before === event.state) return;
    if (event.state === 'up') this.#deps.rebalances.returned(entry, clock.nowMs());
    const isRecovered = event.state === 'up' && before !== 'unproven';
    if (isRecovered) {
      this.#weights.returned(entry.id, clock.nowMs());
      // What failed until then has had its verdict.
      ledger.ejections.forget(entry.id);
    }
    this.#write(entry, clock.nowMs());
    ledger.setHealth(entry.id, event.state);
    counters.transition(namesOf(entry), event.state);
    this.#deps.found(entry, event.state);
    const told = { ...namesOf(entry), cause: event.reason, detail: event.detail };
    if (event.state === 'up') log.event('backend-up', told);
    else log.event(DEMOTED[event.state], { ...told, sessions: ledger.active(entry.id) });
    if (isRecovered) this.#recovered(entry);
    // After its own line: what follows from it for its pool is reported, too.
    this.#deps.changed(entry);
    const { onDown, onDownSpreadMs } = entry.pool.spec;
    if (event.state !== 'up' && onDown === 'close') {
      this.#closings.end(entry, 'backend-down', onDownSpreadMs);
    }
    this.#deps.ring();
  }

  #share(entry: BackendEntry, share: number): void {
    if (share === this.#weights.share(entry.id)) return;
    this.#weights.degraded(entry.id, share);
    this.#write(entry, this.#deps.clock.nowMs());
    this.#deps.changed(entry);
    const percent = Math.round(share * 100);
    this.#deps.log.event('backend-degraded', { ...namesOf(entry), percent, detail: null });
  }

  /** One that the process before this one knew is where it was: there is nothing new to report. */
  #arrive(entry: BackendEntry): void {
    const { before, ledger, wasBefore } = this.#deps;
    const known = before.verdictOf(targetKey(entry));
    if (known === null) return this.#tellArrival(entry);
    wasBefore(entry, known.state, known.sinceWallMs);
    const { returnedMs } = before.passiveOf(targetKey(entry));
    if (returnedMs !== null) this.#weights.returned(entry.id, returnedMs);
    if (known.health === null) return;
    const { verdict, share } = known.health.memory;
    ledger.setHealth(entry.id, verdict);
    if (share !== null) this.#weights.degraded(entry.id, share);
  }

  #tellArrival(entry: BackendEntry): void {
    const address = formatAddress(entry.endpoint);
    this.#deps.log.event('backend-added', { ...namesOf(entry), address });
  }

  /** An ejection for what failed before its probes found it down ends with their verdict. */
  #recovered(entry: BackendEntry): void {
    const now = this.#deps.clock.nowMs();
    if (!this.#deps.ejections.recovered(entry, now)) return;
    this.#returned(entry, now);
    this.#write(entry, now);
  }

  #returned(entry: BackendEntry, nowMs: number): void {
    this.#weights.returned(entry.id, nowMs);
    this.#deps.rebalances.returned(entry, nowMs);
  }

  #write(entry: BackendEntry, nowMs: number): void {
    if (this.#weights.write(entry, nowMs)) this.#ramping.add(entry);
    else this.#ramping.delete(entry);
  }
}
