/**
 * The sessions that wait for a backend of one pool in one worker: for a turn in the queue (every
 * backend is full) or for the first verdict about unproven backends. And which pools have any.
 */
import type { PoolId } from '../../core/brand.js';
import type { Pool } from '../../pool/pool.js';
import type { WaitQueue } from '../../pool/wait_queue.js';
import type { TcpSession } from './session.js';

export class WaitingSessions {
  /** Sessions that wait for a first verdict, in order. */
  readonly unproven = new Set<TcpSession>();
  /** Removed: the pool is in no plan any more, and its row may soon be another pool's. */
  state: 'open' | 'removed' = 'open';

  /** What those that wait know of it; just released: they have not been looked at since. */
  held: 'no' | 'held' | 'just released' = 'no';

  readonly pool: Pool;
  readonly queue: WaitQueue<TcpSession>;

  constructor(pool: Pool, queue: WaitQueue<TcpSession>) {
    this.pool = pool;
    this.queue = queue;
  }

  /** None waits. */
  get isIdle(): boolean {
    return this.queue.length === 0 && this.unproven.size === 0;
  }

  /** Nothing is chosen: an operator holds the pool. */
  get isHeld(): boolean {
    return this.pool.settings.heldAtMost > 0;
  }

  /** How many may wait now. */
  get size(): number {
    const { heldAtMost, queueSize } = this.pool.settings;
    return this.isHeld ? heldAtMost : queueSize;
  }

  /**
   * The pool is held, or others wait already, perhaps at another worker: they must not be
   * overtaken.
   */
  mustWait(tried: TcpSession['triedIds']): boolean {
    if (this.isHeld) return true;
    return this.pool.settings.queueSize > 0 && this.queue.isAhead(tried);
  }

  /** A session has joined the queue. What the first one finds is all that those behind it know. */
  joined(): void {
    if (this.queue.length === 1) this.held = this.isHeld ? 'held' : 'no';
  }

  /** At the end of a hold `queue_timeout` begins anew for those that wait: it stood still. */
  followHold(nowMs: number): void {
    if (this.isHeld) {
      this.held = 'held';
    } else if (this.held === 'held') {
      this.held = 'just released';
      for (const session of this.queue.waiters) {
        const { phase } = session;
        if (phase.at === 'queued') session.phase = { ...phase, countsFromMs: nowMs };
      }
    }
  }

  /** A waiter for which none of the free places is meant holds up no other. */
  letPass({ phase, tried }: TcpSession): boolean {
    if (tried === null || phase.at !== 'queued' || !this.pool.hasPlace()) return false;
    this.queue.stepAside(phase.ticket);
    return true;
  }
}

/**
 * The pools of one worker. Whatever may let sessions go on concerns those at which some wait: a
 * look at every pool would cost by how many there are.
 */
export class WaitingPools {
  readonly #byId = new Map<PoolId, WaitingSessions>();
  /** Where some wait, or did so at the last look: none is forgotten before it is looked at. */
  readonly #waits = new Set<WaitingSessions>();

  add(id: PoolId, waiting: WaitingSessions): void {
    this.#byId.set(id, waiting);
  }

  find(id: PoolId): WaitingSessions | undefined {
    return this.#byId.get(id);
  }

  remove(waiting: WaitingSessions): void {
    waiting.state = 'removed';
    this.#byId.delete(waiting.pool.id);
    this.#waits.delete(waiting);
  }

  /** A session waits there. */
  note(waiting: WaitingSessions): void {
    this.#waits.add(waiting);
  }

  /** Those at which sessions wait. */
  waited(): readonly WaitingSessions[] {
    for (const waiting of this.#waits) if (waiting.isIdle) this.#waits.delete(waiting);
    return [...this.#waits];
  }
}
