/**
 * `sluice/pg`: what `new pg.Pool({ stream })` takes. Each connection of the pool goes to a backend
 * that the balancer chooses; with `health: { probe: 'postgres', role: 'primary', … }` and `onDown:
 * 'close'` the pool follows the primary.
 */
import {
  type AdapterOptions,
  type Connects,
  connectOptionsOf,
  mustBeBalancer,
} from './adapter_balancer.js';
import { LateSocket } from './late_socket.js';

export type PgOptions = AdapterOptions;

/** `new pg.Pool({ stream: pgStream(balancer), user, database })` */
export function pgStream(balancer: Connects, options?: PgOptions): () => LateSocket {
  mustBeBalancer(balancer);
  const asked = connectOptionsOf(options);
  return () => new LateSocket((about) => balancer.connect({ ...asked, ...about }));
}
