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

  readonly pool: Pool;
  readonly queue: WaitQueue<TcpSession>;

  constructor(pool: Pool, queue: WaitQueue<TcpSession>) {
    this.pool = pool;
    this.queue = queue;
  }
}
