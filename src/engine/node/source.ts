/**
 * Dials from one address of this machine. node:net chooses the port with the address, so that it is
 * taken for connections to all backends; where foreign calls work the socket is made by those, and
 * connect(2) chooses the port.
 */
import { connect, Socket } from 'node:net';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import { err, ok, type Result } from '../../core/result.js';
import { adoptDescriptor, closeDescriptor, type Descriptor } from '../../kernel/descriptor.js';
import { type KernelError, kernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { addressFamily } from '../../kernel/sockaddr.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from '../../kernel/sockets.js';
import { bindSource } from '../../kernel/source_address.js';
import { dialSocket, SOCKET_OPTIONS } from './socket.js';

/** Node.js shall not read before it has connected. */
const UNCONNECTED = { ...SOCKET_OPTIONS, manualStart: true } as const;

/** A socket that connects to `target`, or fails by the event as any other. */
export function dialFrom(source: IpEndpoint, target: Endpoint, kernel: Kernel | null): Socket {
  if (target.kind === 'unix') return dialSocket(target);
  const { host, port, family } = target;
  if (kernel === null) {
    return connect({ ...SOCKET_OPTIONS, host, port, family, localAddress: source.host });
  }
  const opened = openAt(source, kernel);
  if (!opened.ok) {
    const socket = new Socket(SOCKET_OPTIONS);
    return socket.destroy(Object.assign(new Error(opened.error.errno), asOfNode(opened.error)));
  }
  // Node.js closes it with the thread, even one that is ended from outside.
  kernel.closing?.(opened.value);
  return new Socket({ ...UNCONNECTED, fd: opened.value }).connect({ host, port, family });
}

/** In the form of Node.js' own errors. */
function asOfNode({ call, errno }: KernelError): { code: string; syscall: string } {
  return { code: errno, syscall: call };
}

function openAt(source: IpEndpoint, kernel: Kernel): Result<Descriptor, KernelError> {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const opened = kernel.libc.socket(addressFamily(source), type, 0);
  if (opened < 0) return err(kernelError('socket', opened));
  const fd = adoptDescriptor(opened);
  const bound = bindSource(kernel, fd, source);
  if (bound === 0) return ok(fd);
  closeDescriptor(kernel, fd);
  return err(kernelError('bind', bound));
}
