/**
 * `sluice/pg`: what `new pg.Pool({ stream })` takes. Each connection of the pool goes to a backend
 * that the balancer chooses; with `health: { probe: 'postgres', role: 'primary', … }` and `onDown:
 * 'close'` the pool follows the primary.
 */
import type { Connects } from './adapter_balancer.js';
import { LateSocket } from './late_socket.js';

export interface PgOptions {
  /** What `source-hash` chooses by. */
  readonly key?: string;
}

/** `new pg.Pool({ stream: pgStream(balancer), user, database })` */
export function pgStream(balancer: Connects, { key }: PgOptions = {}): () => LateSocket {
  return () => new LateSocket(balancer, key);
}
