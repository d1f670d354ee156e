/** Options of listening UDP sockets. */
import type { Descriptor } from './descriptor.js';
import type { Kernel } from './foreign.js';
import { IP_PKTINFO, IPV6_RECVPKTINFO } from './messages.js';
import { IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET, setIntOption } from './sockets.js';

/** <asm-generic/socket.h> */
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;

/** A burst of clients waits in the kernel for its turn, up to net.core.rmem_max. */
export const RECEIVE_BUFFER_BYTES = 4 * 1_048_576;

/**
 * Makes room for bursts: beyond net.core.rmem_max with CAP_NET_ADMIN, else up to it (socket(7)).
 */
export function enlargeReceiveBuffer(kernel: Kernel, fd: Descriptor): void {
  const forced = setIntOption(kernel, fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
  if (forced < 0) setIntOption(kernel, fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
}

/** From now on each datagram comes with the local address that it was sent to (ip(7), ipv6(7)). */
export function tellLocalAddress(kernel: Kernel, fd: Descriptor, family: 4 | 6): number {
  return family === 4
    ? setIntOption(kernel, fd, IPPROTO_IP, IP_PKTINFO, 1)
    : setIntOption(kernel, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}
