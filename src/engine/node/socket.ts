/**
 * What every socket of the engine has in common: options, endings, and waiting until it is flushed.
 */
import { connect, type Server, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { SelfDials, Suspect } from '../self_dials.js';

/** A socket of a pair; only TCP knows RST. */
export interface Link {
  readonly socket: Socket;
  readonly kind: Endpoint['kind'];
}

/** What Node.js may hold of one direction before it stops reading; a chunk more may follow. */
const STREAM_BUFFER_BYTES = 16_384;

/** For all sockets, also those that take the rest over from their listening socket (tcp(7)). */
export const STREAM_OPTIONS = { allowHalfOpen: true, highWaterMark: STREAM_BUFFER_BYTES } as const;

/** Without a delay of our own: net.ipv4.tcp_keepalive_time and its like hold for both engines. */
export const SOCKET_OPTIONS = { ...STREAM_OPTIONS, noDelay: true, keepAlive: true } as const;

const NOTHING = new Uint8Array(0);

/**
 * The number of `socket`'s descriptor, or null when it has none (any more) or it is unknown: this
 * way to it is undocumented, so nothing may depend on it.
 */
export function descriptorOf(socket: Socket | Server): number | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return null;
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' && fd >= 0 ? fd : null;
}

export function dialSocket(target: Endpoint): Socket {
  return target.kind === 'unix'
    ? connect({ ...SOCKET_OPTIONS, path: target.path })
    : connect({ ...SOCKET_OPTIONS, host: target.host, port: target.port, family: target.family });
}

interface Dialled {
  readonly socket: Socket;
  /** null: it cannot be. */
  readonly suspect: Suspect | null;
}

/** `isOne` of `selfDials`, about a socket that is connected by now. */
export function isToItself(
  { socket, suspect }: Dialled,
  { selfDials, clock }: { readonly selfDials: SelfDials; readonly clock: Clock },
): boolean {
  if (suspect === null) return false;
  const sameHost = (): boolean => socket.localAddress === socket.remoteAddress;
  return selfDials.isOne(suspect, socket.localPort ?? -1, sameHost, clock.nowMs());
}

/**
 * Calls `then` when all that was written is in the kernel's hands; never, if the socket fails
 * before.
 */
export function whenFlushed(socket: Socket, then: () => void): void {
  if (socket.writableLength === 0) then();
  else writeNothing(socket, then);
}

/**
 * Sends FIN behind what was written. `end` is called on a flushed socket only: libuv refuses to
 * reset one whose shutdown waits behind data, and Node.js then loses its descriptor.
 */
export function finish(socket: Socket): void {
  whenFlushed(socket, () => {
    if (!socket.writableEnded) socket.end();
  });
}

/** Sends RST (TCP) and forgets what was not sent. A unix socket has no RST: it is closed. */
export function resetLink({ socket, kind }: Link): void {
  if (socket.destroyed) return;
  if (kind === 'unix' || socket.connecting) socket.destroy();
  // FIN is leaving in this turn of the loop.
  else if (socket.writableEnded && !socket.writableFinished) {
    socket.once('finish', () => resetLink({ socket, kind }));
  } else socket.resetAndDestroy();
}

/** Sends nothing; calls `then` unless the connection is broken, which the socket reports itself. */
export function writeNothing(socket: Socket, then: () => void): void {
  socket.write(NOTHING, (error) => {
    if (!error) then();
  });
}
