/** What a backend gets before the client's first byte. */
import { encodeAs } from '../proxy_protocol/encode_as.js';
import type { ProxyHeader } from '../proxy_protocol/header.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';

/**
 * The PROXY header, where the pool sends one, and the request for TLS that the client has made, or
 * null. What a trusted proxy has sent is passed on.
 */
export function preludeFor(session: TcpSession, engine: TcpEngine): Uint8Array | null {
  const version = session.waiting.pool.settings.sendProxyProtocol;
  const header = version === 'off' ? null : encodeAs(version, headerOf(session, engine));
  const { postgres } = session.facts;
  if (postgres?.kind !== 'encryption') return header;
  return header === null ? postgres.request : Buffer.concat([header, postgres.request]);
}

/** What a PROXY header says of the session. */
export function headerOf(session: TcpSession, engine: TcpEngine): ProxyHeader {
  return {
    transport: 'stream',
    source: session.proxied?.source ?? engine.client(session.pair),
    destination: session.proxied?.destination ?? engine.local(session.pair),
    tlvs: session.proxied?.tlvs ?? [],
  };
}
