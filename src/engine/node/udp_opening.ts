/** How the sockets of a UDP listener come to be: from control's descriptor, or bound here. */
import type { Socket } from 'node:dgram';
import { present } from '../../core/assert.js';
import { type IpEndpoint, ipEndpoint, isWildcard } from '../../core/endpoint.js';
import type { ListenSource } from '../../core/plan.js';
import { err, ok, type Result } from '../../core/result.js';
import {
  adoptDescriptor,
  closeDescriptor,
  type Descriptor,
  duplicate,
} from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import { openListeningSocket } from '../../kernel/sockets.js';
import { asked, errorCode } from './failure.js';
import type { LocalAddress } from './local_addresses.js';
import { discard, openBound } from './udp_socket.js';

export interface BoundSocket {
  readonly socket: Socket;
  /** null: Node.js has opened the socket itself, and does not say which number it has. */
  readonly fd: Descriptor | null;
}

/** A socket, or the errno's name. */
export type UdpOpening = Result<BoundSocket, string>;

/** The socket at the address of `source` itself. */
export function openMain(
  kernel: Kernel | null,
  source: ListenSource,
  local: IpEndpoint,
): UdpOpening {
  if (source.kind === 'bind') {
    const { reusePort } = source;
    return isWildcard(local) && reusePort === 'exclusive'
      ? claimed(local)
      : bound(local, local.host, reusePort);
  }
  const copy = ownDescriptor(kernel, source.fd);
  return copy.ok ? adopted(present(kernel, NO_KERNEL), local.family, copy.value) : copy;
}

/** A socket at `local`, one address of those that the wildcard `source` covers. */
export function openBeside(
  kernel: Kernel | null,
  source: ListenSource,
  local: IpEndpoint,
  address: LocalAddress,
): UdpOpening {
  if (source.kind === 'bind') return bound(local, address.zonedHost, 'shared');
  // SO_REUSEPORT, as the wildcard's descriptor has it: node:dgram perhaps does not know it.
  const made = openListeningSocket(present(kernel, NO_KERNEL), {
    local,
    scopeId: address.scopeId,
    protocol: 'udp',
    reusePort: 'shared',
    backlog: 0,
  });
  if (!made.ok) return err(made.error.errno);
  return adopted(present(kernel, NO_KERNEL), local.family, made.value.fd);
}

/** Another descriptor for `fd`, which stays control's own. */
export function ownDescriptor(kernel: Kernel | null, fd: number): Result<Descriptor, string> {
  const copy = duplicate(present(kernel, NO_KERNEL), adoptDescriptor(fd));
  return copy.ok ? copy : err(copy.error.errno);
}

const NO_KERNEL = 'a descriptor was made by foreign calls';

/** A socket of node:dgram over `fd`, which it owns from then on. */
function adopted(kernel: Kernel, family: 4 | 6, fd: Descriptor): UdpOpening {
  // Node.js closes it with the thread, even one that is ended from outside.
  kernel.closing?.(fd);
  const opened = openBound(family, { fd });
  if (opened.ok) return ok({ socket: opened.value, fd });
  closeDescriptor(kernel, fd);
  return err(errorCode(opened.error));
}

/**
 * A socket that others of ours may bind beside, at an address that no other process has:
 * SO_REUSEADDR alone would not show that one is there.
 */
function claimed(local: IpEndpoint): UdpOpening {
  const claim = bound(local, local.host, 'exclusive');
  if (!claim.ok) return claim;
  const { socket } = claim.value;
  const name = asked(() => socket.address());
  discard(socket);
  if (!name.ok) return name;
  return bound(ipEndpoint(local.family, local.host, name.value.port), local.host, 'shared');
}

function bound(local: IpEndpoint, host: string, sharing: 'shared' | 'exclusive'): UdpOpening {
  const opened = openBound(local.family, { host, port: local.port, sharing });
  return opened.ok ? ok({ socket: opened.value, fd: null }) : err(errorCode(opened.error));
}
