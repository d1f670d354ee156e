/**
 * Who waits for a backend of one pool in one worker: for a turn in the queue (every backend is
 * full) or for the first verdict about unproven backends.
 */
import type { Pool } from '../../pool/pool.js';
import type { WaitQueue } from '../../pool/wait_queue.js';
import type { TcpSession } from './session.js';

export class Waiting {
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

  /** Nothing is chosen: an operator holds the pool. */
  get isHeld(): boolean {
    return this.pool.settings.heldAtMost > 0;
  }

  /** How many may wait now. */
  get size(): number {
    const { heldAtMost, queueSize } = this.pool.settings;
    return this.isHeld ? heldAtMost : queueSize;
  }
}
