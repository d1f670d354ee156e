/** The PROXY header that a backend gets before the client's first byte. */
import { unreachable } from '../../core/assert.js';
import { encodeV1, encodeV2 } from '../proxy_protocol/encode.js';
import type { ProxyHeader } from '../proxy_protocol/header.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';

/** The encoded header, or null where the pool sends none. What a trusted proxy told passes on. */
export function preludeFor(session: TcpSession, engine: TcpEngine): Uint8Array | null {
  const version = session.waiting.pool.settings.sendProxyProtocol;
  switch (version) {
    case 'off':
      return null;
    case 'v1':
      return encodeV1(headerOf(session, engine));
    case 'v2':
      return encodeV2(headerOf(session, engine));
    default:
      return unreachable(version);
  }
}

function headerOf(session: TcpSession, engine: TcpEngine): ProxyHeader {
  return {
    transport: 'stream',
    source: session.proxied?.source ?? engine.client(session.pair),
    destination: session.proxied?.destination ?? engine.local(session.pair),
    tlvs: session.proxied?.tlvs ?? [],
  };
}
