/** How fast sessions may begin at a listener, over all workers. */
import type { ListenerId } from '../core/brand.js';
import type { ListenerPlan } from '../core/plan.js';
import { type Rate, rateASecond } from '../pool/cell_rate.js';
import type { ClientTable } from '../pool/client_table.js';

const NS_PER_MS = 1e6;

export class BeginRate {
  readonly #listener: ListenerId;
  readonly #rate: Rate;
  readonly #table: ClientTable;
  /**
   * Half a burst: clients that had to wait wait for some more, or each would be a turn of its own.
   */
  readonly #moreMs: number;

  constructor(listener: ListenerId, perSecond: number, table: ClientTable) {
    this.#listener = listener;
    this.#rate = rateASecond(perSecond);
    this.#table = table;
    this.#moreMs = Number(this.#rate.toleranceNs) / 2 / NS_PER_MS;
  }

  /** null: as fast as they come. */
  static of({ id, settings }: ListenerPlan, table: ClientTable): BeginRate | null {
    const { limits } = settings;
    if (limits === null || limits.newPerSecond === 0 || limits.dryRun) return null;
    return new BeginRate(id, limits.newPerSecond, table);
  }

  /** Counts one that begins now, or answers false: that is too early. */
  tryBegin(nowMs: number): boolean {
    return this.#table.tryBegin(this.#listener, this.#rate, nowMs);
  }

  /** When to look again; Infinity: one may begin now. */
  dueMs(nowMs: number): number {
    const waitMs = this.#table.listenerWaitMs(this.#listener, this.#rate, nowMs);
    return waitMs <= 0 ? Number.POSITIVE_INFINITY : nowMs + waitMs + this.#moreMs;
  }
}
