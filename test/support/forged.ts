/** Datagrams that claim to come from elsewhere: raw sockets (raw(7)), which need root. */
import type { IpEndpoint } from '../../src/core/endpoint.js';
import { ipBytes } from '../../src/core/ip_bytes.js';
import { adoptDescriptor, closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { encodeAddress } from '../../src/kernel/sockaddr.js';

const AF_INET = 2;
const SOCK_RAW = 3;
/** The sender writes the IP header too. */
const IPPROTO_RAW = 255;
const IP_BYTES = 20;
const UDP_BYTES = 8;
const TTL = 64;
const UDP = 17;

/** Sends `text` over IPv4 to `to`, with `from` as its source; false: not allowed here. */
export function sendForged(from: IpEndpoint, to: IpEndpoint, text: string): boolean {
  const kernel = loadKernel();
  if (!kernel.ok) return false;
  const { libc } = kernel.value;
  const fd = libc.socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) return false;
  const packet = datagram(from, to, Buffer.from(text));
  const address = encodeAddress({ ...to, port: 0 });
  const sent = libc.sendto(fd, packet, packet.length, 0, address, address.length);
  closeDescriptor(kernel.value, adoptDescriptor(fd));
  if (sent !== packet.length) throw new Error(`a forged datagram was not sent: ${sent}`);
  return true;
}

/** The kernel fills in the checksum of the IP header; UDP over IPv4 may go without (RFC 768). */
function datagram(from: IpEndpoint, to: IpEndpoint, payload: Buffer): Uint8Array {
  const packet = Buffer.alloc(IP_BYTES + UDP_BYTES + payload.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(TTL, 8);
  packet.writeUInt8(UDP, 9);
  packet.set(ipBytes(from.host) ?? [], 12);
  packet.set(ipBytes(to.host) ?? [], 16);
  packet.writeUInt16BE(from.port, IP_BYTES);
  packet.writeUInt16BE(to.port, IP_BYTES + 2);
  packet.writeUInt16BE(UDP_BYTES + payload.length, IP_BYTES + 4);
  packet.set(payload, IP_BYTES + UDP_BYTES);
  return packet;
}
