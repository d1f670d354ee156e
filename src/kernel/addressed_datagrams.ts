/**
 * Datagrams together with the local address that they were sent to, which a wildcard socket gives
 * in a control message only: IP_PKTINFO (ip(7)) and IPV6_PKTINFO (ipv6(7)).
 */
import { endianness } from 'node:os';
import { type IpEndpoint, ipEndpoint } from '../core/endpoint.js';
import { ipText } from '../core/ip_bytes.js';
import { err, ok, type Result } from '../core/result.js';
import type { Descriptor } from './descriptor.js';
import type { KernelError } from './errno.js';
import { kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { type MappedMemory, mapMemory } from './memory.js';
import { IP_PKTINFO, IPV6_PKTINFO, IPV6_RECVPKTINFO } from './messages.js';
import { AF_INET6, SIN6_SCOPE_ID_AT } from './sockaddr.js';
import { IPPROTO_IP, IPPROTO_IPV6, setIntOption } from './sockets.js';
import { MSG_DONTWAIT } from './submissions.js';

const LITTLE = endianness() === 'LE';

/** struct msghdr and struct iovec of 64-bit Linux (recvmsg(2)); lengths are 8 bytes each. */
const MSG_NAME = 0;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_CONTROL = 32;
const MSG_CONTROLLEN = 40;
const IOV_BASE = 56;
const IOV_LEN = 64;
/** struct cmsghdr: length, level, type, then the data (cmsg(3)). */
const CMSG_LEVEL = 8;
const CMSG_TYPE = 12;
const CMSG_DATA = 16;

/** Where things stand in the mapped memory. */
const NAME_AT = 128;
const NAME_BYTES = 28;
const CONTROL_AT = 256;
const CONTROL_BYTES = 256;
const PAYLOAD_AT = 512;
const PAYLOAD_BYTES = 65_536;

export interface AddressedDatagram {
  /** A copy. */
  readonly payload: Uint8Array;
  readonly from: IpEndpoint;
  /** The local address to answer from. */
  readonly to: string;
  /** The interface of link-local addresses; 0: there is none. */
  readonly scopeId: number;
}

/** Makes the wildcard socket `fd` report local addresses. */
export function tellLocalAddresses(
  kernel: Kernel,
  fd: Descriptor,
  family: 4 | 6,
): Result<null, KernelError> {
  const [level, option] =
    family === 4 ? [IPPROTO_IP, IP_PKTINFO] : [IPPROTO_IPV6, IPV6_RECVPKTINFO];
  const answer = setIntOption(kernel, fd, level, option, 1);
  return answer < 0 ? err(kernelError('setsockopt', answer)) : ok(null);
}

export class AddressedReader {
  readonly #kernel: Kernel;
  readonly #header: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  private constructor(kernel: Kernel, memory: MappedMemory) {
    const { address, buffer } = memory;
    this.#kernel = kernel;
    this.#header = address;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#setLong(MSG_NAME, address + NAME_AT);
    this.#setLong(MSG_IOV, address + IOV_BASE);
    this.#setLong(MSG_IOVLEN, 1);
    this.#setLong(MSG_CONTROL, address + CONTROL_AT);
    this.#setLong(IOV_BASE, address + PAYLOAD_AT);
    this.#setLong(IOV_LEN, PAYLOAD_BYTES);
  }

  static open(kernel: Kernel): Result<AddressedReader, KernelError> {
    const memory = mapMemory(kernel, PAYLOAD_AT + PAYLOAD_BYTES);
    return memory.ok ? ok(new AddressedReader(kernel, memory.value)) : memory;
  }

  /**
   * The next datagram that waits at `fd`, or null when none does. One without a local address (the
   * option was not set yet when it came) is passed over.
   */
  read(fd: Descriptor): AddressedDatagram | null {
    for (;;) {
      this.#view.setUint32(MSG_NAMELEN, NAME_BYTES, LITTLE);
      this.#setLong(MSG_CONTROLLEN, CONTROL_BYTES);
      const length = this.#kernel.libc.recvmsgAt(fd, this.#header, MSG_DONTWAIT);
      // EAGAIN, or an error that concerned a datagram of the past: either way there is nothing now.
      if (length < 0) return null;
      const to = this.#localHost();
      if (to === null) continue;
      const payload = this.#bytes.slice(PAYLOAD_AT, PAYLOAD_AT + length);
      return { payload, from: this.#peer(), to, scopeId: this.#scopeId() };
    }
  }

  #peer(): IpEndpoint {
    // Family, port, then sin_addr or, after sin6_flowinfo, sin6_addr.
    const six = this.#view.getUint16(NAME_AT, LITTLE) === AF_INET6;
    const host = six ? ipText(6, this.#bytes, NAME_AT + 8) : ipText(4, this.#bytes, NAME_AT + 4);
    return ipEndpoint(six ? 6 : 4, host, this.#view.getUint16(NAME_AT + 2));
  }

  #scopeId(): number {
    const six = this.#view.getUint16(NAME_AT, LITTLE) === AF_INET6;
    return six ? this.#view.getUint32(NAME_AT + SIN6_SCOPE_ID_AT, LITTLE) : 0;
  }

  #localHost(): string | null {
    const end = CONTROL_AT + this.#getLong(MSG_CONTROLLEN);
    for (let at = CONTROL_AT; at + CMSG_DATA <= end; ) {
      const level = this.#view.getInt32(at + CMSG_LEVEL, LITTLE);
      const type = this.#view.getInt32(at + CMSG_TYPE, LITTLE);
      // in_pktinfo: interface, address to answer from, address in the header (ip(7)).
      if (level === IPPROTO_IP && type === IP_PKTINFO) {
        return ipText(4, this.#bytes, at + CMSG_DATA + 4);
      }
      if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
        return ipText(6, this.#bytes, at + CMSG_DATA);
      }
      const length = this.#getLong(at);
      if (length < CMSG_DATA) return null;
      at += (length + 7) & ~7;
    }
    return null;
  }

  #setLong(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value), LITTLE);
  }

  #getLong(at: number): number {
    return Number(this.#view.getBigUint64(at, LITTLE));
  }
}
