/** From which address of this machine a session dials its backend. */
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import type { Lease } from '../../pool/selection.js';
import type { OwnFailure } from '../own_failures.js';
import type { TcpEngine } from '../tcp_port.js';
import { preludeFor } from './prelude.js';
import type { TcpSession } from './session.js';

/** Begins to connect; the source addresses that are left are for `dialsOn`. */
export function beginDial(session: TcpSession, { endpoint }: Lease, engine: TcpEngine): void {
  const [source, ...further] = session.waiting.pool.sourcesFor(endpoint);
  session.lacks = 'no-source-address';
  dialFrom(session, endpoint, source, further, engine);
}

/**
 * After a dial that failed for want of something here, and not at the backend: whether another
 * address of this machine is tried.
 */
export function dialsOn(
  session: TcpSession,
  { endpoint }: Lease,
  failure: OwnFailure,
  engine: TcpEngine,
): boolean {
  if (failure !== 'no-source-address') session.lacks = 'resource-limit';
  if (failure === 'no-descriptor') return false;
  const [source, ...further] = session.sources;
  if (source === undefined) return false;
  dialFrom(session, endpoint, source, further, engine);
  return true;
}

function dialFrom(
  session: TcpSession,
  endpoint: Endpoint,
  source: IpEndpoint | null,
  further: readonly IpEndpoint[],
  engine: TcpEngine,
): void {
  session.sources = further;
  engine.dial(session.pair, endpoint, preludeFor(session, engine), source);
}
