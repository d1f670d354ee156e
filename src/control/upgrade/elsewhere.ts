/**
 * Sessions that processes before this one still have count here, too: at the backends and listeners
 * that have the same names. What they say may be of names that are not here (yet): it is kept, and
 * each change of what there is looks at it again.
 */
import { MAX_LEAVING } from '../../core/limits.js';
import type { Ledger } from '../../pool/ledger.js';
import { countOfBackend, countOfListener, type SharedCount } from '../../pool/other_processes.js';
import type { Inventory } from '../inventory.js';
import {
  isOfListener,
  placeOfListener,
  type RemainingCount,
  type RemainingCounts,
  readPlace,
} from './remaining.js';

export interface ElsewhereDeps {
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  /** Places may be free that others wait for. */
  readonly ring: () => void;
}

interface Leaver {
  pid: number;
  /** By place. */
  readonly counts: Map<string, number>;
}

/** Whether a place may get more sessions than it had: not one whose row may be given back. */
interface Found {
  readonly count: SharedCount;
  readonly mayGrow: boolean;
}

export class Elsewhere {
  readonly #deps: ElsewhereDeps;
  readonly #leavers = new Map<number, Leaver>();
  /** Places of which something was said while nothing is followed; null: all is followed. */
  #late: Set<string> | null = null;

  constructor(deps: ElsewhereDeps) {
    this.#deps = deps;
  }

  /** The `process`th that leaves says what it has. */
  told(process: number, { pid, extent, counts }: RemainingCounts): void {
    const leaver = this.#leavers.get(process) ?? { pid, counts: new Map<string, number>() };
    this.#leavers.set(process, leaver);
    leaver.pid = pid;
    const places = new Set(counts.map(([place]) => place));
    if (extent === 'all') {
      for (const place of leaver.counts.keys()) {
        if (places.has(place)) continue;
        leaver.counts.delete(place);
        this.#write(process, place, 0);
      }
    }
    for (const [place, sessions] of counts) {
      if (sessions === 0) leaver.counts.delete(place);
      else leaver.counts.set(place, sessions);
      this.#write(process, place, sessions);
    }
    this.#deps.ring();
  }

  /**
   * The `process`th asks for places for the sessions that wait there, as none waits here: returns
   * what it gets of them.
   */
  asked(process: number, places: readonly RemainingCount[]): readonly RemainingCount[] {
    const leaver = this.#leavers.get(process);
    if (this.#late !== null || leaver === undefined) return [];
    const { inventory, ledger } = this.#deps;
    const granted: RemainingCount[] = [];
    for (const [place, wanted] of places) {
      const named = readPlace(place);
      if (named?.kind !== 'backend') continue;
      const pool = inventory.pools.get(named.pool);
      const entry = pool?.backends.get(named.key);
      if (pool === undefined || entry === undefined || ledger.queued(pool.id) > 0) continue;
      const found = this.#find(place);
      if (found?.mayGrow !== true) continue;
      const cap = ledger.cap(entry.id) || Number.MAX_SAFE_INTEGER;
      const got = ledger.others.take(process, found.count, wanted, cap);
      if (got === 0) continue;
      leaver.counts.set(place, (leaver.counts.get(place) ?? 0) + got);
      granted.push([place, got]);
    }
    return granted;
  }

  /** It has ended, however. */
  ended(process: number): void {
    const places = [...(this.#leavers.get(process)?.counts.keys() ?? [])];
    this.#leavers.delete(process);
    if (this.#late !== null) {
      for (const place of places) this.#late.add(place);
      return;
    }
    this.#deps.ledger.others.forget(process);
    this.#deps.ring();
  }

  /** After a change of what there is, before workers know of it. */
  settle(): void {
    if (this.#leavers.size === 0) return;
    const { inventory } = this.#deps;
    for (const [process, { counts }] of this.#leavers) {
      for (const [place, sessions] of counts) this.#write(process, place, sessions);
      for (const key of inventory.listeners.keys()) {
        const place = placeOfListener(key);
        if (!counts.has(place)) this.#write(process, place, 0);
      }
    }
  }

  /**
   * Another process takes the place of this one, and knows what is counted here: from now on
   * nothing that earlier processes free must be taken here.
   */
  standStill(): void {
    this.#late ??= new Set();
  }

  /** It does not come. */
  followAgain(): void {
    const late = this.#late ?? [];
    this.#late = null;
    for (const place of late) {
      for (let process = 0; process < MAX_LEAVING; process++) {
        this.#write(process, place, this.#leavers.get(process)?.counts.get(place) ?? 0);
      }
    }
    this.#deps.ring();
  }

  /** What the `process`th has said. */
  remainingIn(process: number): {
    readonly pid: number;
    readonly counts: readonly RemainingCount[];
  } {
    const leaver = this.#leavers.get(process);
    return { pid: leaver?.pid ?? 0, counts: [...(leaver?.counts ?? [])] };
  }

  /** Which processes leave, and what they still have: a sentence for each. */
  get remarks(): readonly string[] {
    return [...this.#leavers.values()].flatMap(({ pid, counts }) => {
      let sessions = 0;
      for (const [place, count] of counts) if (isOfListener(place)) sessions += count;
      const what = sessions === 1 ? '1 session' : `${sessions} sessions`;
      return sessions === 0 ? [] : [`process ${pid} leaves: it still finishes ${what}`];
    });
  }

  #write(process: number, place: string, sessions: number): void {
    if (this.#late !== null) {
      this.#late.add(place);
      return;
    }
    const found = this.#find(place);
    if (found === null) return;
    const { others } = this.#deps.ledger;
    const before = others.remainingIn(process, found.count);
    others.hold(process, found.count, found.mayGrow ? sessions : Math.min(before, sessions));
  }

  #find(text: string): Found | null {
    const { inventory } = this.#deps;
    const place = readPlace(text);
    if (place === null) return null;
    if (place.kind === 'backend') {
      const entry = inventory.pools.get(place.pool)?.backends.get(place.key);
      if (entry === undefined) return null;
      const mayGrow = entry.tenure === 'kept' && !inventory.yielding.has(entry);
      return { count: countOfBackend(entry.id), mayGrow };
    }
    const entry = inventory.listeners.get(place.key);
    if (entry === undefined) return null;
    // Without a number of its own each process has what its descriptors allow.
    const mayGrow = entry.tenure === 'kept' && entry.spec.maxSessions > 0;
    return { count: countOfListener(entry.id), mayGrow };
  }
}
