/** What a socket is that another process has opened. */
import type { Endpoint } from '../core/endpoint.js';
import type { Descriptor } from './descriptor.js';
import type { Kernel } from './foreign.js';
import {
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  localAddress,
  SO_KEEPALIVE,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  setIntOption,
  TCP_NODELAY,
} from './sockets.js';

/** <linux/fcntl.h> */
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
/** <asm-generic/socket.h>: whether it listens; and a filter that drops what comes goes. */
const SO_DETACH_FILTER = 27;
const SO_ACCEPTCONN = 30;

export interface InheritedSocket {
  readonly protocol: 'tcp' | 'udp';
  readonly local: Endpoint;
  /** `both`: of IPv6, and IPv4 comes to it too. */
  readonly families: 'one' | 'both';
}

/**
 * Makes `fd` fit for use (non-blocking, close-on-exec, without the filter of a process that was
 * about to leave it); null when it is no socket that clients can come to.
 */
export function inheritedSocket(kernel: Kernel, fd: Descriptor): InheritedSocket | null {
  const { libc } = kernel;
  libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
  const type = intOption(kernel, fd, SO_TYPE);
  const listens = type === SOCK_STREAM && intOption(kernel, fd, SO_ACCEPTCONN) === 1;
  if (!listens && type !== SOCK_DGRAM) return null;
  const local = localAddress(kernel, fd);
  if (!local.ok) return null;
  const flags = libc.fcntl(fd, F_GETFL, 0);
  libc.fcntl(fd, F_SETFL, Math.max(flags, 0) | O_NONBLOCK);
  // ENOENT: there is none.
  libc.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, Int32Array.of(0), 4);
  const isIpv6 = local.value.kind === 'ip' && local.value.family === 6;
  const both = isIpv6 && intOption(kernel, fd, IPV6_V6ONLY, IPPROTO_IPV6) === 0;
  if (listens && local.value.kind === 'ip') {
    // Accepted sockets inherit them (tcp(7)); our own have them anyway.
    setIntOption(kernel, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    setIntOption(kernel, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  }
  return {
    protocol: listens ? 'tcp' : 'udp',
    local: local.value,
    families: both ? 'both' : 'one',
  };
}

function intOption(
  kernel: Kernel,
  fd: Descriptor,
  option: number,
  level: number = SOL_SOCKET,
): number {
  const value = new Int32Array(1);
  const answer = kernel.libc.getsockopt(fd, level, option, value, Int32Array.of(4));
  return answer < 0 ? -1 : (value[0] ?? -1);
}

/** No program that is started from here gets `fd` by accident. */
export function closeOnExec(kernel: Kernel, fd: number): void {
  kernel.libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
}
