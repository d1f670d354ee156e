/**
 * A process that leaves shares its caps with the next one, so that both together never pass one:
 * what is free here is given away, and what its sessions give back, as soon as no session here has
 * a claim to it. What it may still use is said to the next one, and only ever shrinks.
 *
 * A session that has come here and has no backend yet has a claim. For each of them one place at
 * every backend of its pool is kept back, as it is not known which one it will get.
 */
import type { Timers } from '../../core/clock.js';
import { poolsOf } from '../../core/routes.js';
import type { SeriesReader } from '../../core/series.js';
import { PLAIN_COLUMN } from '../../core/series_layout.js';
import type { PoolSpec } from '../../core/spec.js';
import type { Ledger } from '../../pool/ledger.js';
import { countOfBackend, countOfListener, type SharedCount } from '../../pool/other_processes.js';
import type { ChannelMessage, LineChannel } from '../../system/line_channel.js';
import type { BackendEntry, Inventory, ListenerEntry } from '../inventory.js';
import {
  placeOfBackend,
  placeOfListener,
  placesMessage,
  type RemainingCount,
  readPlace,
  readPlaces,
  remainingMessage,
  TELL,
} from './remaining.js';

/** Clients of the next process may wait for what is freed here. */
const LOOK_MS = 20;

export interface GivingAwayDeps {
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly series: Pick<SeriesReader, 'value'>;
  readonly timers: Timers;
  /** Places may be free that others wait for. */
  readonly ring: () => void;
}

export class GivingAway {
  readonly #deps: GivingAwayDeps;
  readonly #channel: LineChannel;
  /** What was said, where it is not 0. */
  #told = new Map<BackendEntry | ListenerEntry, number>();
  #state: 'giving' | 'handed over' | 'over' = 'giving';
  /** Until there is an answer nothing more is given, nor said: it would be of before. */
  #asking: 'nothing' | 'places' = 'nothing';

  /** Gives what is free, and says over `channel` what is not. */
  constructor(channel: LineChannel, deps: GivingAwayDeps) {
    this.#deps = deps;
    this.#channel = channel;
    void this.#tellAll();
    this.#lookLater();
  }

  /** The next process serves. */
  handedOver(): void {
    this.#state = 'handed over';
    void this.#channel.closed.then(() => this.takeBack());
  }

  /** What the next process says of it; false: it is of other things. */
  heard(message: ChannelMessage): boolean {
    const granted = readPlaces('granted', message);
    if (granted === null && message['kind'] !== TELL['kind']) return false;
    if (this.#state === 'over') return true;
    // Another process has the other end by now, which knows of nothing that was asked.
    this.#asking = 'nothing';
    if (granted === null) void this.#tellAll();
    else this.#take(granted);
    return true;
  }

  /** Before caps become those of `pools`: what is more is for the next process. */
  capsBecome(pools: readonly PoolSpec[]): void {
    if (this.#state === 'over') return;
    const { inventory, ledger } = this.#deps;
    for (const { name, backends } of pools) {
      const caps = new Map(backends.map((spec) => [spec.name, spec.maxConnections]));
      for (const { id, spec } of inventory.pools.get(name)?.backends.values() ?? []) {
        const before = spec.maxConnections;
        const after = caps.get(spec.name) ?? before;
        if (before === 0) ledger.others.give(countOfBackend(id), after);
        else if (after > before) ledger.others.giveMore(countOfBackend(id), after - before);
      }
    }
  }

  /** The next process does not come, or has ended. */
  takeBack(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#deps.ledger.others.takeBack();
    this.#deps.ring();
  }

  #lookLater(): void {
    this.#deps.timers.after(LOOK_MS, () => {
      if (this.#state !== 'over') void this.#look().then(() => this.#lookLater());
    });
  }

  #take(granted: readonly RemainingCount[]): void {
    const { ledger, inventory, ring } = this.#deps;
    for (const [place, got] of granted) {
      const named = readPlace(place);
      if (named?.kind !== 'backend') continue;
      const entry = inventory.pools.get(named.pool)?.backends.get(named.key);
      if (entry === undefined) continue;
      this.#told.set(entry, (this.#told.get(entry) ?? 0) + got);
      ledger.others.giveLess(countOfBackend(entry.id), got);
    }
    if (granted.length > 0) ring();
  }

  /** Where some wait and nothing is free. */
  #lacking(): readonly RemainingCount[] {
    const { inventory, ledger } = this.#deps;
    const places: RemainingCount[] = [];
    for (const pool of inventory.pools.values()) {
      const waiting = pool.spec.settings.heldAtMost > 0 ? 0 : ledger.queued(pool.id);
      if (waiting === 0) continue;
      for (const { id, key } of pool.backends.values()) {
        const isFull = ledger.active(id) >= ledger.cap(id);
        const most = Math.min(waiting, ledger.others.given(countOfBackend(id)));
        if (isFull && most > 0) places.push([placeOfBackend(pool.key, key), most]);
      }
    }
    return places;
  }

  #tellAll(): Promise<void> {
    const now = this.#give();
    this.#told = now;
    // The end of a line of which another process has read the beginning may come before it.
    void this.#channel.send({ kind: 'all-follows' });
    return this.#say('all', [...now].map(remainingCount));
  }

  async #look(): Promise<void> {
    if (this.#asking === 'places') return;
    const before = this.#told;
    const now = this.#give();
    this.#told = now;
    const changes: RemainingCount[] = [];
    for (const [entry, remaining] of now) {
      if (before.get(entry) !== remaining) changes.push(remainingCount([entry, remaining]));
    }
    for (const entry of before.keys())
      if (!now.has(entry)) changes.push(remainingCount([entry, 0]));
    if (changes.length > 0) await this.#say('changes', changes);
    const lacking = this.#lacking();
    // Before that the answer would have no reader.
    if (lacking.length === 0 || this.#state !== 'handed over') return;
    this.#asking = 'places';
    await this.#channel.send(placesMessage('ask', lacking));
  }

  #say(extent: 'all' | 'changes', counts: readonly RemainingCount[]): Promise<void> {
    return this.#channel.send(remainingMessage({ of: 0, pid: process.pid, extent, counts }));
  }

  /** Answers what is left: what this process may have from now on, where it is not 0. */
  #give(): Map<BackendEntry | ListenerEntry, number> {
    const { inventory, ledger } = this.#deps;
    const left = new Map<BackendEntry | ListenerEntry, number>();
    const note = (entry: BackendEntry | ListenerEntry, remaining: number): void => {
      if (remaining > 0) left.set(entry, remaining);
    };
    const claims = this.#claims();
    for (const pool of inventory.pools.values()) {
      const keptBack = claims.get(pool.key) ?? 0;
      for (const entry of pool.backends.values()) {
        const { id, spec } = entry;
        const active = ledger.active(id);
        note(entry, this.#giveOf(countOfBackend(id), active, spec.maxConnections, keptBack));
      }
    }
    for (const entry of inventory.listeners.values()) {
      const { id, spec } = entry;
      // Those that it has accepted and that found no place take whatever is freed.
      const keptBack = ledger.anyListenerWaiting(id) ? spec.maxSessions : 0;
      const active = ledger.listenerActive(id);
      note(entry, this.#giveOf(countOfListener(id), active, spec.maxSessions, keptBack));
    }
    return left;
  }

  /** `cap` 0: none, and each process has what it likes. */
  #giveOf(count: SharedCount, active: number, cap: number, keptBack: number): number {
    const { others } = this.#deps.ledger;
    if (cap > 0) others.give(count, cap - keptBack);
    // The count of before, so that it is no less than now: from a cap on it can only fall.
    return Math.max(cap, active) - others.elsewhere(count);
  }

  /** By pool: sessions that may come to it and have no backend. */
  #claims(): ReadonlyMap<string, number> {
    const { inventory, series } = this.#deps;
    const claims = new Map<string, number>();
    for (const { spec, series: row, unreached } of inventory.listeners.values()) {
      // What a flow would choose again for comes to the next process.
      if (spec.protocol === 'udp') continue;
      const unknown = series.value(row, PLAIN_COLUMN.active);
      for (const pool of poolsOf(spec)) {
        const own = unreached.get(pool);
        const known = own === undefined || own === row ? 0 : series.value(own, PLAIN_COLUMN.active);
        if (unknown + known > 0) claims.set(pool, (claims.get(pool) ?? 0) + unknown + known);
      }
    }
    return claims;
  }
}

function remainingCount([entry, remaining]: readonly [
  BackendEntry | ListenerEntry,
  number,
]): RemainingCount {
  const isBackend = 'pool' in entry;
  return [
    isBackend ? placeOfBackend(entry.pool.key, entry.key) : placeOfListener(entry.key),
    remaining,
  ];
}
