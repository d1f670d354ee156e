/**
 * Watches pools and listeners as a whole: what their standing is and since when, and reports when a
 * pool cannot serve, or can again. It decides nothing: workers look at the same ledger by the same
 * rules.
 */
import type { PoolState } from '../admin/views.js';
import { unreachable } from '../core/assert.js';
import type { BackendState } from '../core/backend_states.js';
import type { BackendId } from '../core/brand.js';
import type { Timers } from '../core/clock.js';
import { sourceName } from '../core/discovery_spec.js';
import { few } from '../core/few.js';
import { MAX_PAIRS } from '../core/limits.js';
import { ranksOf } from '../core/ranks.js';
import type { SeriesReader } from '../core/series.js';
import { type ChangeReader, EVERY_ROW, rowIn } from '../pool/change_journal.js';
import { type Standing, standingOf } from '../pool/standing.js';
import { stateOf } from './backend_state.js';
import type { BackendEntry, Inventory, ListenerEntry, PoolEntry } from './inventory.js';
import { type ListenerNow, ListenerWatch, type ListenerWatchDeps } from './listener_watch.js';
import { accountsOf, type PoolNow, poolState } from './pool_now.js';
import { rivalsIn } from './rivals.js';
import { isDescribed } from './stand_ins.js';
import { type StateNow, StateTimes } from './state_times.js';

export interface PoolWatchDeps extends ListenerWatchDeps {
  readonly series: Pick<SeriesReader, 'isCrowded'>;
  readonly inventory: Inventory;
  readonly timers: Pick<Timers, 'after'>;
  /** The share of its weight that a backend's probes ask for. */
  readonly shareOf: (entry: BackendEntry) => number;
}

/** A pool of more backends is not looked at for each that changes, but a moment later. */
const LARGE_POOL = 256;
/** Five thousand probes per second may each bring a verdict, and a look takes a millisecond. */
const A_MOMENT_MS = 50;
/** This many changes are read in the time of a look at one backend. */
const CHANGES_PER_LOOK = 16;
/** Backends that `pool-down` names; the others are counted. */
const MAX_TOLD = 64;

/** What was reported of a pool last. */
type Told = 'nothing' | 'serves' | 'panic' | 'down';

export class PoolWatch {
  readonly #deps: PoolWatchDeps;
  readonly #told = new WeakMap<PoolEntry, Told>();
  /** By pool: the rivals that were reported last. */
  readonly #rivals = new WeakMap<PoolEntry, string>();
  readonly #pools: StateTimes<PoolEntry, PoolState>;
  readonly #backends: StateTimes<BackendEntry, BackendState>;
  /** By pool and backend: since when its name has no address. */
  #unresolved: ReadonlyMap<string, number> = new Map();
  readonly #listeners: ListenerWatch;
  #pairs: 'roomy' | 'crowded' = 'roomy';
  /** Pools of which something has changed within `together`; null outside of it. */
  #changed: Set<PoolEntry> | null = null;
  /** What of the ledger's journal was not looked at yet. */
  readonly #changes: ChangeReader;
  /** Backends as of the last look at everything. */
  readonly #byRow = new Map<BackendId, BackendEntry>();
  /** Large pools of which something has changed a moment ago. */
  readonly #soon = new Set<PoolEntry>();

  constructor(deps: PoolWatchDeps) {
    this.#deps = deps;
    this.#changes = deps.ledger.changes.reader();
    this.#pools = new StateTimes(deps.clock);
    this.#listeners = new ListenerWatch(deps);
    this.#backends = new StateTimes(deps.clock);
  }

  /** Looks at everything: to be called after every change of what there is. */
  look(): void {
    const { inventory } = this.#deps;
    // What is looked at from here on is newer.
    this.#changes.skip();
    this.#byRow.clear();
    const unresolved = new Map<string, number>();
    for (const pool of inventory.pools.values()) {
      this.pool(pool);
      for (const entry of pool.backends.values()) {
        this.#byRow.set(entry.id, entry);
        this.backend(entry);
      }
      for (const {
        spec: { name },
      } of pool.unresolved) {
        unresolved.set(nameKey(pool, name), this.unresolvedSince(pool, name));
      }
    }
    this.#unresolved = unresolved;
    this.#lookAtListeners();
  }

  /**
   * The same for what the ledger says has changed since: called several times per second. A look at
   * ten thousand backends takes milliseconds, and of most of them nothing changes for hours.
   */
  lookAgain(): void {
    const pools = new Set<PoolEntry>();
    let { unread } = this.#changes;
    // As many as that are no quicker to read, and some may be lost.
    if (unread > CHANGES_PER_LOOK * this.#byRow.size) return this.look();
    for (; unread > 0; unread--) {
      const change = this.#changes.next();
      if (change === EVERY_ROW) return this.look();
      const entry = this.#byRow.get(rowIn(change));
      if (entry === undefined) continue;
      this.backend(entry);
      pools.add(entry.pool);
    }
    for (const pool of pools) {
      if (this.#deps.inventory.pools.get(pool.key) === pool) this.pool(pool);
    }
    this.#lookAtListeners();
  }

  #lookAtListeners(): void {
    for (const listener of this.#deps.inventory.listeners.values()) this.listener(listener);
    this.#tellCrowding();
  }

  #tellCrowding(): void {
    if (this.#pairs === 'crowded' || !this.#deps.series.isCrowded) return;
    this.#pairs = 'crowded';
    this.#deps.log.event('pairs-crowded', { limit: MAX_PAIRS });
  }

  pool(pool: PoolEntry): PoolNow {
    const members = [...pool.backends.values()];
    const standing = this.#standing(pool, members, pool.spec.settings.panicPercent);
    const state = pool.tenure === 'leaving' ? 'leaving' : poolState(standing);
    const sinceWallMs = this.#pools.note(pool, state);
    const primaries = rivalsIn(pool, members, standing, this.#deps.ledger);
    const now = { pool, members, standing, state, sinceWallMs, primaries };
    this.#tell(now);
    this.#tellRivals(now);
    return now;
  }

  #tellRivals({ pool, primaries }: PoolNow): void {
    const names = primaries.join(', ');
    const before = this.#rivals.get(pool) ?? '';
    if (names === before) return;
    this.#rivals.set(pool, names);
    const { log } = this.#deps;
    if (names === '') log.event('one-primary', { pool: pool.key });
    else log.event('several-primaries', { pool: pool.key, detail: names });
  }

  /** Something about `entry` has just changed: the time is that of the call. */
  changed(entry: BackendEntry): void {
    this.backend(entry);
    if (this.#changed !== null) this.#changed.add(entry.pool);
    else this.#lookAtPool(entry.pool);
  }

  #lookAtPool(pool: PoolEntry): void {
    if (pool.backends.size <= LARGE_POOL) this.pool(pool);
    else this.#lookSoon(pool);
  }

  #lookSoon(pool: PoolEntry): void {
    this.#soon.add(pool);
    if (this.#soon.size > 1) return;
    this.#deps.timers.after(A_MOMENT_MS, () => {
      const pools = [...this.#soon];
      this.#soon.clear();
      for (const one of pools) if (this.#deps.inventory.pools.get(one.key) === one) this.pool(one);
    });
  }

  /** Of thousands of backends that change at once each pool is looked at once, at the end. */
  together(change: () => void): void {
    this.#changed = new Set();
    try {
      change();
    } finally {
      const pools = this.#changed;
      this.#changed = null;
      for (const pool of pools) this.#lookAtPool(pool);
    }
  }

  #standing(pool: PoolEntry, members: readonly BackendEntry[], panicPercent: number): Standing {
    const rankOf = ranksOf(pool.spec);
    return standingOf(
      this.#deps.ledger,
      members.map(({ id, spec }) => ({ id, rank: rankOf(spec) })),
      panicPercent,
    );
  }

  backend(entry: BackendEntry): StateNow<BackendState> {
    const state = this.stateOf(entry);
    return { state, sinceWallMs: this.#backends.note(entry, state) };
  }

  stateOf(entry: BackendEntry): BackendState {
    return stateOf(entry, this.#deps.ledger, this.#deps.shareOf(entry));
  }

  /** Of every backend of a pool, those that leave and those without an address included. */
  statesOf(pool: PoolEntry): readonly BackendState[] {
    const known = [...pool.backends.values()].map((entry) => this.stateOf(entry));
    return [...known, ...pool.unresolved.filter(isDescribed).map(() => 'unresolved' as const)];
  }

  /** It was in `state` before this process was there; what is none stands for nothing. */
  wasBefore(entry: BackendEntry, state: string, sinceWallMs: number): void {
    this.#backends.resume(entry, state as BackendState, sinceWallMs);
  }

  /** Since when the name of this backend of the file leads nowhere. */
  unresolvedSince(pool: PoolEntry, backend: string): number {
    return this.#unresolved.get(nameKey(pool, backend)) ?? this.#deps.clock.wallMs();
  }

  /** A worker has opened the socket `key` of `listener`, or could not: `problem`. */
  opened(listener: ListenerEntry, key: number, problem: string | null): void {
    this.#listeners.opened(listener, key, problem);
  }

  listener(listener: ListenerEntry): ListenerNow {
    return this.#listeners.now(listener);
  }

  #tell(now: PoolNow): void {
    const { pool, members, standing, state } = now;
    const before = this.#told.get(pool) ?? 'nothing';
    const told = toTell(state);
    if (told === null || told === before) return;
    this.#told.set(pool, told);
    const { log } = this.#deps;
    const kept = members.filter((entry) => entry.tenure === 'kept').length;
    const counts = { pool: pool.key, eligible: standing.eligible, backends: kept };
    if (told === 'down') {
      const all = accountsOf(now).map(({ name, word }) => `${name} ${word}`);
      const sources = pool.spec.discovery.map(
        ({ source }) => `no member from ${sourceName(source)}`,
      );
      const detail = few(all.length > 0 ? all : sources, MAX_TOLD).join(', ');
      const cause = standing.serves === 'no-backend' ? 'no-backend' : 'all-down';
      log.event('pool-down', { pool: pool.key, cause, detail });
    } else if (told === 'panic') {
      // In panic every backend is eligible: those that would be without it are why it began.
      const eligible = this.#standing(pool, members, 0).eligible;
      const percent = pool.spec.settings.panicPercent;
      log.event('pool-panic', { pool: pool.key, eligible, backends: kept, percent });
    } else if (before === 'panic') log.event('pool-panic-over', counts);
    else if (before === 'down') log.event('pool-recovered', counts);
  }
}

/** null: a pool in this state is not reported, and what was reported before still holds. */
function toTell(state: PoolState): Told | null {
  switch (state) {
    case 'leaving':
    case 'unproven':
      return null;
    case 'up':
    case 'backup':
    case 'full':
      return 'serves';
    case 'panic':
    case 'down':
      return state;
    default:
      return unreachable(state);
  }
}

/** Neither name holds a zero byte. */
function nameKey(pool: PoolEntry, backend: string): string {
  return `${pool.key}\0${backend}`;
}
