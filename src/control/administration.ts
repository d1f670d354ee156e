/** Follows what operators want of backends: drained, in maintenance, or back in service. */
import type { AdminState } from '../core/spec.js';
import type { Ledger } from '../pool/ledger.js';
import type { Drains } from './drains.js';
import type { BackendEntry } from './inventory.js';

export interface AdministrationDeps {
  readonly ledger: Ledger;
  readonly drains: Drains;
  /** It serves again: its slow start begins. */
  readonly returned: (entry: BackendEntry, nowMs: number) => void;
}

export class Administration {
  readonly #deps: AdministrationDeps;
  /** What was done last; ready where nothing was. */
  readonly #done = new WeakMap<BackendEntry, AdminState>();

  constructor(deps: AdministrationDeps) {
    this.#deps = deps;
  }

  /** Does what the desired state of `entry` asks for, if that is new. */
  follow(entry: BackendEntry, nowMs: number): void {
    const { ledger, drains, returned } = this.#deps;
    const before = this.#done.get(entry) ?? 'ready';
    const { admin } = entry.spec;
    if (admin === before) return;
    this.#done.set(entry, admin);
    if (admin !== 'ready') return drains.begin(entry, admin, nowMs);
    // What probes said before the maintenance is no verdict on what comes out of it.
    if (before === 'maintenance') ledger.setHealth(entry.id, 'unproven');
    drains.cancel(entry);
    returned(entry, nowMs);
  }

  /** It was away from the file, and begins anew. */
  forget(entry: BackendEntry): void {
    this.#done.delete(entry);
  }
}
