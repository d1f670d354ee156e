/** Gives back what left and is not used any more: rows, listening sockets, descriptors. */
import { err, ok, type Result } from '../core/result.js';
import type { AdoptionDeps } from './adoption.js';
import { noWayBack, OVERRULED, type Refusal } from './change_queue.js';
import type { BackendEntry, ListenerEntry } from './inventory.js';

type DeparturesDeps = Pick<
  AdoptionDeps,
  'changes' | 'inventory' | 'board' | 'publisher' | 'ledger' | 'sockets' | 'shares'
>;

export class Departures {
  readonly #deps: DeparturesDeps;
  /** Left, without sessions, and not given back yet. */
  readonly #empty: BackendEntry[] = [];

  constructor(deps: DeparturesDeps) {
    this.#deps = deps;
  }

  /** A backend that left has no session any more: one change gives back all that wait for it. */
  emptied(entry: BackendEntry): void {
    this.#empty.push(entry);
    if (this.#empty.length > 1) return;
    void this.#deps.changes.run(() => noWayBack(() => this.#release(this.#empty.splice(0))));
  }

  get listenersLeave(): boolean {
    return [...this.#deps.inventory.listeners.values()].some((entry) => this.#mayRelease(entry));
  }

  /** Rows and sockets of listeners that left. */
  giveBackListeners(): void {
    this.#releaseRows();
    this.retireSockets();
  }

  /** Gives back the rows of everything that left and on which nothing counts any more. */
  async tidy(): Promise<void> {
    const { changes, inventory, ledger, board, publisher } = this.#deps;
    this.#releaseRows();
    const idle = [...inventory.backends()].filter(
      ({ tenure, id }) => tenure === 'leaving' && ledger.active(id) === 0,
    );
    for (const entry of idle) {
      board.gone(entry);
      entry.pool.backends.delete(entry.key);
    }
    await changes.unlessOverruled(publisher.publish());
    if (changes.overruled) return;
    for (const entry of idle) inventory.releaseBackend(entry);
    inventory.releasePools();
  }

  /**
   * Flows of a UDP listener that leaves need its sockets, those of all workers: the kernel chooses
   * among them by their number. Where another listener is now, they have ended.
   */
  retireSockets(): void {
    const { sockets, inventory, ledger, shares } = this.#deps;
    const kept = [...inventory.listeners].flatMap(([key, { tenure, spec }]) =>
      tenure === 'kept' && spec.protocol === 'udp' ? [key] : [],
    );
    const outlives = ({ tenure, spec, id }: ListenerEntry): boolean =>
      tenure !== 'kept' && spec.protocol === 'udp' && ledger.listenerActive(id) > 0;
    sockets.retireAll(
      (key) => {
        const entry = inventory.listeners.get(key);
        return entry !== undefined && (entry.tenure === 'kept' || outlives(entry))
          ? entry.spec
          : null;
      },
      (key) => {
        const entry = inventory.listeners.get(key);
        return entry !== undefined && outlives(entry) ? kept : [];
      },
    );
    shares.settle();
  }

  async #release(entries: readonly BackendEntry[]): Promise<Result<null, Refusal>> {
    const { board, changes, publisher, inventory } = this.#deps;
    const gone = entries.filter(
      (entry) =>
        entry.tenure === 'leaving' &&
        !board.drains(entry) &&
        entry.pool.backends.get(entry.key) === entry,
    );
    if (gone.length === 0) return ok(null);
    for (const entry of gone) entry.pool.backends.delete(entry.key);
    await changes.unlessOverruled(publisher.publish());
    if (changes.overruled) return err(OVERRULED);
    for (const entry of gone) {
      inventory.releaseBackend(entry);
      board.forgetNames(entry);
    }
    inventory.releasePools();
    return ok(null);
  }

  #mayRelease({ tenure, id }: ListenerEntry): boolean {
    return tenure === 'leaving' && this.#deps.ledger.listenerActive(id) === 0;
  }

  #releaseRows(): void {
    const { inventory } = this.#deps;
    inventory.releaseListeners(
      [...inventory.listeners.values()].filter((entry) => this.#mayRelease(entry)),
    );
  }
}
