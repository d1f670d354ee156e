/**
 * Rows of shared memory for a change, found before anything of it is done. Where there are too few,
 * backends that leave and have no session give up theirs first: workers are told by the ledger that
 * they get none any more, and what is then at zero stays at zero. If that is not enough, the answer
 * is a refusal with the numbers, and nothing has changed.
 */
import { err, ok, type Result } from '../core/result.js';
import type { Ledger } from '../pool/ledger.js';
import type { ChangeQueue, Refusal } from './change_queue.js';
import { OVERRULED } from './change_queue.js';
import type { BackendEntry, Inventory, PoolEntry } from './inventory.js';
import type { RowTarget, Shortage } from './row_demand.js';

export interface RoomDeps {
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly changes: ChangeQueue;
  /** Sends the inventory's plan; resolves when all workers have applied it. */
  readonly publish: () => Promise<void>;
  /** Gives back what left before and is empty by now. */
  readonly tidy: () => Promise<void>;
}

export class Room {
  readonly #deps: RoomDeps;

  constructor(deps: RoomDeps) {
    this.#deps = deps;
  }

  /**
   * Makes room for `target`: afterwards `inventory.apply` finds a row for everything. A failure
   * costs no more than a moment in which some backends got no session.
   */
  async make(target: RowTarget): Promise<Result<null, Refusal>> {
    const { inventory, changes } = this.#deps;
    if (inventory.shortages(target).length === 0) return ok(null);
    await this.#deps.tidy();
    const refusal = changes.overruled ? OVERRULED : await this.#yield(target);
    if (refusal === null) return ok(null);
    if (inventory.yielding.size > 0) {
      inventory.yielding.clear();
      if (!changes.overruled) await changes.unlessOverruled(this.#deps.publish());
    }
    return err(refusal);
  }

  /** Asks as many to yield as are needed, again when one of them got a session meanwhile. */
  async #yield(target: RowTarget): Promise<Refusal | null> {
    const { inventory, ledger, changes } = this.#deps;
    const busy = new Set<BackendEntry>();
    for (;;) {
      const short = inventory.shortages(target);
      if (short.length === 0) return null;
      const idle = inventory
        .leavers(target)
        .filter((entry) => !busy.has(entry) && ledger.active(entry.id) === 0);
      const more = choose(inventory, short, idle);
      if (more === null) return short.map(sentenceOf);
      for (const entry of more) inventory.yielding.add(entry);
      await changes.unlessOverruled(this.#deps.publish());
      if (changes.overruled) return OVERRULED;
      for (const entry of more) {
        if (ledger.active(entry.id) === 0) continue;
        inventory.yielding.delete(entry);
        busy.add(entry);
      }
    }
  }
}

/** As few of `idle` as give enough rows, and of each pool about the same share; null: too few. */
function choose(
  inventory: Inventory,
  short: readonly Shortage[],
  idle: readonly BackendEntry[],
): readonly BackendEntry[] | null {
  const left = { backends: 0, listeners: 0, pools: 0 };
  for (const { rows, missing } of short) left[rows] = missing;
  if (left.listeners > 0 || left.pools > 0) return null;
  const byPool = new Map<PoolEntry, BackendEntry[]>();
  for (const entry of idle) {
    if (inventory.yielding.has(entry)) continue;
    const known = byPool.get(entry.pool);
    if (known === undefined) byPool.set(entry.pool, [entry]);
    else known.push(entry);
  }
  const chosen: BackendEntry[] = [];
  // From the pools that have most: none is left without a backend before all have one.
  const waiting = [...byPool.values()].sort((a, b) => b.length - a.length);
  let level = 0;
  for (let size = waiting[0]?.length ?? 0; size > 0; size--) {
    while ((waiting[level]?.length ?? 0) >= size) level++;
    for (const entries of waiting.slice(0, level)) {
      if (chosen.length === left.backends) return chosen;
      chosen.push(...entries.splice(-1));
    }
  }
  return chosen.length === left.backends ? chosen : null;
}

const NAMES = {
  listeners: 'listeners',
  pools: 'pools',
  backends: 'backends',
} as const;

/** The numbers and the remedy, for `reload-failed`. */
export function sentenceOf({ rows, wanted, leaving, limit }: Shortage): string {
  return [
    `no room for the new ${NAMES[rows]}: the file has ${wanted}`,
    `${leaving} that leave are still in use`,
    `and shared memory is laid out for ${limit}`,
  ]
    .join(', ')
    .concat(
      '; reload again when their sessions have ended (drain_timeout), ',
      'change fewer at a time, or restart',
    );
}
