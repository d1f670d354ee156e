/** The address of this machine that a socket dials from. */
import type { IpEndpoint } from '../core/endpoint.js';
import type { Descriptor } from './descriptor.js';
import type { Kernel } from './foreign.js';
import { encodeAddress } from './sockaddr.js';
import { IPPROTO_IP, setIntOption } from './sockets.js';

/** <linux/in.h> */
const IP_BIND_ADDRESS_NO_PORT = 24;

/**
 * Binds `fd` to the host of `source`; 0 or the negative errno, EADDRNOTAVAIL for an address that
 * this machine does not have. The port is left for connect(2) to choose (ip(7),
 * IP_BIND_ADDRESS_NO_PORT, for IPv6 too): by then the other end is known, and one port may serve a
 * connection to each of them. Chosen here it would be taken for all.
 */
export function bindSource(kernel: Kernel, fd: Descriptor, source: IpEndpoint): number {
  const set = setIntOption(kernel, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (set < 0) return set;
  const address = encodeAddress(source);
  return kernel.libc.bind(fd, address, address.length);
}
