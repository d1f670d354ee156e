/**
 * Listening sockets: created, bound and described. One belongs to one worker or is shared by all.
 */
import { rmSync } from 'node:fs';
import type { Endpoint } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import { adoptDescriptor, closeDescriptor, type Descriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { addressFamily, decodeAddress, encodeAddress, SOCKADDR_MAX_BYTES } from './sockaddr.js';

/** <bits/socket_type.h> */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

/** <asm-generic/socket.h> */
export const SOL_SOCKET = 1;
export const SO_TYPE = 3;
const SO_REUSEADDR = 2;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
const SO_REUSEPORT = 15;
/** <netinet/in.h>, <netinet/tcp.h> */
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const TCP_NODELAY = 1;
export const TCP_QUICKACK = 12;
export const IPV6_V6ONLY = 26;
const IP_FREEBIND = 15;
/** <linux/in6.h>; since Linux 4.15 */
const IPV6_FREEBIND = 78;

export interface ListeningSocketOptions {
  /** Port 0: the kernel chooses one. A unix path must not exist. */
  readonly local: Endpoint;
  readonly protocol: 'tcp' | 'udp';
  /**
   * `shared`: several sockets may bind the same address, and the kernel spreads clients over them.
   */
  readonly reusePort: 'shared' | 'exclusive';
  /** Whether an address is bound that is not here (ip(7), IP_FREEBIND); by default it is not. */
  readonly missingAddress?: 'bind' | 'refuse';
  /** The interface of a link-local IPv6 address (ipv6(7), sin6_scope_id); 0 or absent: none. */
  readonly scopeId?: number;
  /** Connections that wait to be accepted (tcp); the kernel caps it at net.core.somaxconn. */
  readonly backlog: number;
}

export interface ListeningSocket {
  readonly fd: Descriptor;
  /** The address that it really has. */
  readonly local: Endpoint;
}

/**
 * Opens, binds and (tcp) listens: non-blocking, close-on-exec. Accepted TCP sockets inherit
 * TCP_NODELAY and SO_KEEPALIVE from it (tcp(7)). IPv6 sockets take IPv6 only, so that `0.0.0.0` and
 * `[::]` may be bound side by side, as configured.
 */
export function openListeningSocket(
  kernel: Kernel,
  options: ListeningSocketOptions,
): Result<ListeningSocket, KernelError> {
  const { libc } = kernel;
  const { local, protocol } = options;
  const type = protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
  const opened = libc.socket(addressFamily(local), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (opened < 0) return err(kernelError('socket', opened));
  const fd = adoptDescriptor(opened);
  let outcome: 'listens' | 'fails' = 'fails';
  try {
    for (const [level, option] of socketOptions(options)) {
      const answer = setIntOption(kernel, fd, level, option, 1);
      if (answer < 0) return err(kernelError('setsockopt', answer));
    }
    const address = encodeAddress(local, options.scopeId);
    const bound = libc.bind(fd, address, address.length);
    if (bound < 0) return err(kernelError('bind', bound));
    const name = listenAt(kernel, fd, options);
    if (name.ok) outcome = 'listens';
    return name.ok ? ok({ fd, local: name.value }) : name;
  } finally {
    // Whatever failed, and however.
    if (outcome === 'fails') closeDescriptor(kernel, fd);
  }
}

/** The second half, once `fd` is bound; a failure removes the file that the bind has made. */
function listenAt(
  kernel: Kernel,
  fd: Descriptor,
  { local, protocol, backlog }: ListeningSocketOptions,
): Result<Endpoint, KernelError> {
  let outcome: 'listens' | 'fails' = 'fails';
  try {
    if (protocol === 'tcp') {
      const listening = kernel.libc.listen(fd, backlog);
      if (listening < 0) return err(kernelError('listen', listening));
    }
    const name = localAddress(kernel, fd);
    if (name.ok) outcome = 'listens';
    return name;
  } finally {
    if (outcome === 'fails' && local.kind === 'unix') rmSync(local.path, { force: true });
  }
}

/** Options that are switched on before bind(2). */
function socketOptions(options: ListeningSocketOptions): [level: number, option: number][] {
  const { local, protocol, reusePort, missingAddress } = options;
  if (local.kind === 'unix') return [];
  const wanted: [number, number][] = [];
  if (missingAddress === 'bind') {
    wanted.push(local.family === 4 ? [IPPROTO_IP, IP_FREEBIND] : [IPPROTO_IPV6, IPV6_FREEBIND]);
  }
  // On a UDP socket SO_REUSEADDR would let another process take datagrams over (socket(7)).
  if (protocol === 'tcp') wanted.push([SOL_SOCKET, SO_REUSEADDR]);
  if (reusePort === 'shared') wanted.push([SOL_SOCKET, SO_REUSEPORT]);
  if (local.family === 6) wanted.push([IPPROTO_IPV6, IPV6_V6ONLY]);
  if (protocol === 'tcp') wanted.push([IPPROTO_TCP, TCP_NODELAY], [SOL_SOCKET, SO_KEEPALIVE]);
  return wanted;
}

/** setsockopt(2) with an int; returns 0 or the negative errno. */
export function setIntOption(
  kernel: Kernel,
  fd: Descriptor,
  level: number,
  option: number,
  value: number,
): number {
  return kernel.libc.setsockopt(fd, level, option, Int32Array.of(value), 4);
}

/** The address that `fd` is bound to. */
export function localAddress(kernel: Kernel, fd: Descriptor): Result<Endpoint, KernelError> {
  const bytes = new Uint8Array(SOCKADDR_MAX_BYTES);
  const size = Int32Array.of(bytes.length);
  const answer = kernel.libc.getsockname(fd, bytes, size);
  if (answer < 0) return err(kernelError('getsockname', answer));
  return ok(decodeAddress(bytes, size[0] ?? 0));
}
