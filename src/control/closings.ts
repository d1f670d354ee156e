/**
 * Sessions that end because their backend drains, or its pool is held with `--drain`: in time, and
 * not when that is over before they have. Where both are so, each of them is enough.
 */
import type { Cause } from '../core/outcome.js';
import { countOfBackend } from '../pool/other_processes.js';
import type { BackendBoardDeps } from './board_deps.js';
import { type DrainOrders, Drains } from './drains.js';
import { namesOf } from './health_targets.js';
import { HeldPools } from './held_pools.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

type ClosingsDeps = Pick<
  BackendBoardDeps,
  'ledger' | 'log' | 'endSessions' | 'spareSessions' | 'spareBefore'
>;

export class Closings {
  readonly drains: Drains;
  readonly #deps: ClosingsDeps;
  readonly #heldPools: HeldPools;
  /** Their drain is over, and workers have not been told. */
  #spared: BackendEntry[] = [];

  constructor(deps: ClosingsDeps, { empty }: Pick<DrainOrders, 'empty'>) {
    this.#deps = deps;
    const close = (entry: BackendEntry, spanMs: number): void => this.end(entry, 'drained', spanMs);
    const spare: DrainOrders['spare'] = (entry, stage) => this.#spare(entry, stage);
    this.drains = new Drains(deps.ledger, { close, spare, empty });
    this.#heldPools = new HeldPools({ close, spare });
  }

  get idle(): boolean {
    return this.drains.idle && this.#heldPools.idle;
  }

  /** To be called after each change of what is desired. */
  follow(pools: Iterable<PoolEntry>, nowMs: number): void {
    this.#heldPools.follow(pools, nowMs);
    const spared = this.#spared.splice(0);
    if (spared.length > 0) this.#deps.spareSessions(spared);
  }

  look(nowMs: number): void {
    this.drains.look(nowMs);
    this.#heldPools.look(nowMs);
  }

  /** Ends what is left at `entry`, spread over `spanMs`. */
  end(entry: BackendEntry, cause: Cause, spanMs: number): void {
    const { ledger, log, endSessions } = this.#deps;
    const sessions = ledger.active(entry.id) - ledger.others.elsewhere(countOfBackend(entry.id));
    if (sessions > 0) {
      log.event('sessions-closing', { ...namesOf(entry), sessions, span_ms: spanMs, cause });
    }
    endSessions(entry, cause, spanMs);
  }

  #spare(entry: BackendEntry, stage: 'running-on' | 'closing'): void {
    if (this.drains.closes(entry) || this.#heldPools.closes(entry.pool)) return;
    // Also before anything was ordered here: in a process that leaves the one that serves did.
    this.#spared.push(entry);
    if (stage === 'closing') this.#deps.spareBefore(entry);
  }
}
