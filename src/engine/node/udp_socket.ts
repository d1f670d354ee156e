/**
 * dgram sockets, opened in one go: with a look-up that answers at once (addresses are numbers
 * here), bind and connect have happened when they return, so that a failure is an answer and no
 * event.
 */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import type { Clock } from '../../core/clock.js';
import { type IpEndpoint, WILDCARD_HOSTS } from '../../core/endpoint.js';
import type { DialFailure } from '../../core/outcome.js';
import { err, ok, type Result } from '../../core/result.js';
import type { SelfDials, Suspect } from '../self_dials.js';
import { asked, dialFailure } from './failure.js';
import { hasReusePort } from './reuse_port.js';

type Lookup = NonNullable<SocketOptions['lookup']>;

const asItIs: Lookup = (host, _options, callback) => {
  callback(null, host, host.includes(':') ? 6 : 4);
};

export type BindTarget =
  | { readonly fd: number }
  | { readonly host: string; readonly port: number; readonly sharing: 'exclusive' | 'shared' };

/**
 * A bound socket, or the error. `shared`: other sockets of ours may bind the port beside it, by
 * SO_REUSEPORT where Node.js has it, else by SO_REUSEADDR.
 */
export function openBound(family: 4 | 6, target: BindTarget): Result<Socket, Error> {
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    lookup: asItIs,
    ...('sharing' in target && target.sharing === 'shared' ? SHARING : {}),
  });
  let failure: Error | null = null;
  const failed = (error: Error): void => {
    failure = error;
  };
  socket.on('error', failed);
  try {
    if ('fd' in target) socket.bind({ fd: target.fd, exclusive: true });
    else socket.bind({ address: target.host, port: target.port, exclusive: true });
  } catch (error) {
    failed(error as Error);
  }
  socket.off('error', failed);
  if (failure === null) return ok(socket);
  discard(socket);
  return err(failure);
}

/**
 * The options of a socket that others may bind beside. An object, because the types know reusePort
 * in newer versions of Node.js only.
 */
export function sharingOptions(version?: string): object {
  return hasReusePort(version) ? { reusePort: true } : { reuseAddr: true };
}

const SHARING = sharingOptions();

/** A socket that is connected to `target` from `source`, or why there is none. */
export function openConnected(
  target: IpEndpoint,
  source: IpEndpoint | null,
  { selfDials, clock }: { readonly selfDials: SelfDials; readonly clock: Clock },
): Result<Socket, DialFailure> {
  const host = source?.host ?? WILDCARD_HOSTS[target.family];
  const bound = openBound(target.family, { host, port: 0, sharing: 'exclusive' });
  if (!bound.ok) return err(dialFailure(bound.error));
  const socket = bound.value;
  socket.on('error', ignore);
  socket.connect(target.port, target.host);
  if (!isConnected(socket)) {
    // Node.js reports why connect(2) failed in a later turn only; there is no route then.
    discard(socket);
    return err('unreachable');
  }
  const nowMs = clock.nowMs();
  const suspect = selfDials.suspect(target, nowMs);
  if (suspect !== null && isToItself(selfDials, suspect, socket, nowMs)) {
    discard(socket);
    return err('refused');
  }
  socket.off('error', ignore);
  return ok(socket);
}

function isToItself(
  selfDials: SelfDials,
  suspect: Suspect,
  socket: Socket,
  nowMs: number,
): boolean {
  const local = asked(() => socket.address());
  if (!local.ok) return false;
  const sameHost = (): boolean => {
    const peer = asked(() => socket.remoteAddress());
    return peer.ok && peer.value.address === local.value.address;
  };
  return selfDials.isOne(suspect, local.value.port, sameHost, nowMs);
}

function isConnected(socket: Socket): boolean {
  try {
    socket.remoteAddress();
    return true;
  } catch {
    return false;
  }
}

/** Closes a socket; what it still reports is of no interest. */
export function discard(socket: Socket): void {
  socket.removeAllListeners();
  socket.on('error', ignore);
  socket.close();
}

function ignore(): void {}
