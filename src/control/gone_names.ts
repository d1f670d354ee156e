/**
 * Names of backends that left, and whose counters go some time later: what they counted last is
 * still seen, and a backend that comes back, or has its name at another address now, counts on.
 */
import type { BackendLabels } from '../observe/metric_definition.js';
import type { Inventory } from './inventory.js';
import { PAST_SHOWN_MS } from './tallies.js';

export class GoneNames {
  readonly #inventory: Inventory;
  readonly #forget: (names: BackendLabels) => void;
  /** In the order in which they are due. */
  readonly #due = new Map<string, { readonly names: BackendLabels; readonly atMs: number }>();

  constructor(inventory: Inventory, forget: (names: BackendLabels) => void) {
    this.#inventory = inventory;
    this.#forget = forget;
  }

  add(names: BackendLabels, nowMs: number): void {
    const key = keyOf(names);
    this.#due.delete(key);
    this.#due.set(key, { names, atMs: nowMs + PAST_SHOWN_MS });
  }

  get idle(): boolean {
    return this.#due.size === 0;
  }

  /** To be called every now and then. */
  look(nowMs: number): void {
    let present: ReadonlySet<string> | null = null;
    for (const [key, { names, atMs }] of this.#due) {
      if (atMs > nowMs) return;
      present ??= this.#present();
      this.#due.delete(key);
      if (!present.has(key)) this.#forget(names);
    }
  }

  /** Also of backends whose names have no address now. */
  #present(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const pool of this.#inventory.pools.values()) {
      for (const { spec } of pool.backends.values()) names.add(keyOf(labels(pool.key, spec.name)));
      for (const { spec } of pool.unresolved) names.add(keyOf(labels(pool.key, spec.name)));
    }
    return names;
  }
}

function labels(pool: string, backend: string): BackendLabels {
  return { pool, backend };
}

/** Neither name holds a zero byte. */
function keyOf({ pool, backend }: BackendLabels): string {
  return `${pool}\0${backend}`;
}
