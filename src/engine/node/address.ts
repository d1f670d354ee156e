/** Endpoints of sockets, in the words of src/core. */
import type { Server, Socket } from 'node:net';
import { type Endpoint, ipEndpoint } from '../../core/endpoint.js';

/** A client of a unix socket has no address of its own (unix(7): unnamed). */
const UNNAMED: Endpoint = { kind: 'unix', path: '' };

const WILDCARDS = new Set(['0.0.0.0', '::']);

/** The address of a peer that was accepted at `bound`; null: it has gone already. */
export function peerOf(socket: Socket, bound: Endpoint): Endpoint | null {
  return bound.kind === 'unix' ? UNNAMED : fromNode(socket.remoteAddress, socket.remotePort);
}

/** The address that a peer connected to; only a wildcard `bound` makes it worth a system call. */
export function localOf(socket: Socket, bound: Endpoint): Endpoint {
  if (bound.kind === 'unix' || !WILDCARDS.has(bound.host)) return bound;
  return fromNode(socket.localAddress, socket.localPort) ?? bound;
}

/** Where `server` listens, with the port that it got; `fallback` for a server that is closed. */
export function boundAddress(server: Server, fallback: Endpoint): Endpoint {
  const address = server.address();
  if (address === null) return fallback;
  if (typeof address === 'string') return { kind: 'unix', path: address };
  return fromNode(address.address, address.port) ?? fallback;
}

function fromNode(host: string | undefined, port: number | undefined): Endpoint | null {
  if (host === undefined || port === undefined) return null;
  if (!host.includes(':')) return ipEndpoint(4, host, port);
  const zone = host.indexOf('%');
  return ipEndpoint(6, zone === -1 ? host : host.slice(0, zone), port);
}
