/** Endpoints of sockets, in the words of src/core. */
import type { Server, Socket } from 'node:net';
import {
  type Endpoint,
  isWildcard,
  type Peer,
  systemEndpoint,
  systemPeer,
} from '../../core/endpoint.js';

/** A client of a unix socket has no address of its own (unix(7): unnamed). */
const UNNAMED: Peer = { kind: 'unix', path: '' };

/** The address of a peer that was accepted at `bound`; null: it has gone already. */
export function peerOf(socket: Socket, bound: Endpoint): Peer | null {
  if (bound.kind === 'unix') return UNNAMED;
  const { remoteAddress: host, remotePort: port } = socket;
  return host === undefined || port === undefined ? null : systemPeer(host, port);
}

/** The address that a peer connected to; only a wildcard `bound` makes it worth a system call. */
export function localOf(socket: Socket, bound: Endpoint): Endpoint {
  if (!isWildcard(bound)) return bound;
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
  return host === undefined || port === undefined ? null : systemEndpoint(host, port);
}
