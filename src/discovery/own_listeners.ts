/**
 * Members that are the listener which leads to them: a session there would begin the next one,
 * until the listener is full, and none of them would end. Records that were moved to the balancer
 * name it, and name servers that answer 0.0.0.0 for what they block. Pure.
 */
import { normalize } from 'node:path/posix';
import {
  type Address,
  type Endpoint,
  formatAddress,
  type IpEndpoint,
  ipEndpoint,
  isWildcard,
} from '../core/endpoint.js';
import type { ListenerSpec, Spec } from '../core/spec.js';
import type { Member } from './source.js';

/** Whether an address is one of this machine. */
type IsOwn = (address: IpEndpoint) => boolean;

/** Those that lead to `pool`, by themselves or by a route. */
export function listenersTo(pool: string, { listeners }: Spec): readonly ListenerSpec[] {
  return listeners.filter(
    (one) => one.pool === pool || one.routes.some((route) => route.pool === pool),
  );
}

/** A member that leads back to where it is led to from. */
export interface Circle {
  readonly member: Member;
  /** A clause. */
  readonly problem: string;
}

/** Those of `members` that `listeners`, which lead to them, would meet again. */
export function circlesIn(
  members: readonly Member[],
  listeners: readonly ListenerSpec[],
  isOwn: IsOwn,
): readonly Circle[] {
  return members.flatMap((member) => {
    const met = listenerAt(member.address, listeners, isOwn);
    if (met === null) return [];
    return [{ member, problem: `${formatAddress(member.address)} is listener ${met} itself` }];
  });
}

/** The name of the listener that a connection from here to `address` would meet; null: of none. */
function listenerAt(
  address: Address,
  listeners: readonly ListenerSpec[],
  isOwn: IsOwn,
): string | null {
  const met = listeners.find(({ bind }) =>
    bind.some((one) => endpointsOf(address).some((endpoint) => meets(endpoint, one, isOwn))),
  );
  return met?.name ?? null;
}

/** Where `address` leads for certain; of other names only a name server knows. */
function endpointsOf(address: Address): readonly Endpoint[] {
  if (address.kind === 'unix') return [{ ...address, path: normalize(address.path) }];
  if (address.kind === 'ip') return [address];
  const { host, port } = address;
  // RFC 6761, 6.3: always the loopback's, and so are the names below it.
  if (!/(?:^|\.)localhost\.?$/i.test(host)) return [];
  return [ipEndpoint(4, '127.0.0.1', port), ipEndpoint(6, '::1', port)];
}

function meets(address: Endpoint, bind: Endpoint, isOwn: IsOwn): boolean {
  if (address.kind !== 'ip' || bind.kind !== 'ip') return samePath(address, bind);
  if (address.port !== bind.port || address.family !== bind.family) return false;
  if (address.host === bind.host) return true;
  // A connection to a wildcard address reaches the loopback's.
  if (isWildcard(address)) return bind.host === (bind.family === 4 ? '127.0.0.1' : '::1');
  return isWildcard(bind) && isOwn(address);
}

function samePath(address: Endpoint, bind: Endpoint): boolean {
  if (address.kind !== 'unix' || bind.kind !== 'unix') return false;
  return address.path === normalize(bind.path);
}
