/**
 * struct msghdr and what hangs on it (sendmsg(2), cmsg(3)), as 64-bit Linux lays them out; and
 * struct io_uring_recvmsg_out, in front of each datagram of a multishot receive
 * (io_uring_prep_recvmsg(3)). Offsets are in 32-bit words.
 */
import { assert } from '../core/assert.js';
import { writeAddress } from './memory.js';
import { SOL_SOCKET } from './sockets.js';

assert(process.arch !== 'ia32' && process.arch !== 'arm', 'pointers have 64 bits');

/** struct msghdr: 56 bytes; struct iovec: 16 bytes. */
export const MESSAGE_WORDS = 14;
export const IOVEC_WORDS = 4;

/** Writes a struct msghdr at word `at`; `vector` 0: no iovec (a receive into provided buffers). */
export function writeMessage(
  words: Int32Array,
  at: number,
  name: number,
  nameBytes: number,
  vector: number,
  control: number,
  controlBytes: number,
): void {
  writeAddress(words, at, name);
  words[at + 2] = nameBytes;
  words[at + 3] = 0;
  writeAddress(words, at + 4, vector);
  words[at + 6] = vector === 0 ? 0 : 1;
  words[at + 7] = 0;
  writeAddress(words, at + 8, control);
  words[at + 10] = controlBytes;
  words[at + 11] = 0;
  words[at + 12] = 0;
  words[at + 13] = 0;
}

/** Writes a struct iovec at word `at`. */
export function writeVector(words: Int32Array, at: number, address: number, bytes: number): void {
  writeAddress(words, at, address);
  writeAddress(words, at + 2, bytes);
}

/** struct io_uring_recvmsg_out: lengths of name, control and payload, and flags. */
export const RECEIVED_PAYLOAD_BYTES_AT = 2;
export const RECEIVED_FLAGS_AT = 3;
/** <bits/socket.h> */
export const MSG_TRUNC = 0x20;

/** struct cmsghdr: length (8 bytes), level, type; the data follows. */
const CMSG_HEADER_WORDS = 4;
/** ip(7): level IPPROTO_IP; struct in_pktinfo: interface, local address, destination. */
export const IP_PKTINFO = 8;
/** ipv6(7): level IPPROTO_IPV6; struct in6_pktinfo: address, interface. */
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
/** CMSG_SPACE(sizeof(struct in6_pktinfo)), the larger one. */
export const PKTINFO_WORDS = 10;

/** Where the local address stands behind a control message of `family` at word `at`. */
export function pktinfoAddressAt(family: 4 | 6, at: number): number {
  return at + CMSG_HEADER_WORDS + (family === 4 ? 1 : 0);
}

/** Where the interface's index stands. */
export function pktinfoInterfaceAt(family: 4 | 6, at: number): number {
  return at + CMSG_HEADER_WORDS + (family === 4 ? 0 : 4);
}

/**
 * Writes a control message that makes a datagram leave from the local address whose words are given
 * (`interface`: 0, or the index for a link-local one). Returns its length in bytes.
 */
export function writePktinfo(
  words: Int32Array,
  at: number,
  family: 4 | 6,
  local: Int32Array,
  interfaceIndex: number,
): number {
  const dataBytes = family === 4 ? 12 : 20;
  words.fill(0, at, at + PKTINFO_WORDS);
  words[at] = CMSG_HEADER_WORDS * 4 + dataBytes;
  words[at + 2] = family === 4 ? 0 : 41;
  words[at + 3] = family === 4 ? IP_PKTINFO : IPV6_PKTINFO;
  words.set(family === 4 ? local.subarray(0, 1) : local, pktinfoAddressAt(family, at));
  words[pktinfoInterfaceAt(family, at)] = interfaceIndex;
  // CMSG_SPACE: up to the next multiple of 8.
  return CMSG_HEADER_WORDS * 4 + ((dataBytes + 7) & ~7);
}

/** <bits/socket.h>: descriptors that travel with a message (unix(7)), and how many at most. */
const SCM_RIGHTS = 1;
export const MAX_RIGHTS = 253;
/** CMSG_SPACE of that many. */
export const RIGHTS_WORDS = CMSG_HEADER_WORDS + MAX_RIGHTS + 1;

/** Writes a control message with `descriptors` at word `at`; returns its length in bytes. */
export function writeRights(words: Int32Array, at: number, descriptors: readonly number[]): number {
  const dataBytes = descriptors.length * 4;
  words[at] = CMSG_HEADER_WORDS * 4 + dataBytes;
  words[at + 1] = 0;
  words[at + 2] = SOL_SOCKET;
  words[at + 3] = SCM_RIGHTS;
  words.set(descriptors, at + CMSG_HEADER_WORDS);
  return CMSG_HEADER_WORDS * 4 + ((dataBytes + 7) & ~7);
}
