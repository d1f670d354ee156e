/**
 * Submission entries of the load generator, beside those of src/kernel/submissions.ts: they use
 * fixed memory and leave out every completion of a send that went well.
 */
import type { Ring } from '../../src/kernel/ring.js';
import { MSG_NOSIGNAL, MSG_WAITALL } from '../../src/kernel/submissions.js';
import { IOSQE_CQE_SKIP_SUCCESS, OP, RECVSEND_POLL_FIRST } from '../../src/kernel/uring_abi.js';

/** <bits/socket.h>: TCP throws the bytes away instead of copying them (tcp(7)). */
const MSG_TRUNC = 0x20;
/** <linux/io_uring.h>: the next entry starts when this one is done. */
const IOSQE_IO_LINK = 1 << 2;
/** IORING_OP_ACCEPT, and in its `ioprio` IORING_ACCEPT_MULTISHOT. */
const OP_ACCEPT = 13;
const ACCEPT_MULTISHOT = 1 << 0;

/** Accepts every connection, until it fails; `fileFlags` are those of the accepted sockets. */
export function acceptAll(ring: Ring, fd: number, fileFlags: number, tag: number): void {
  write(ring, OP_ACCEPT | (ACCEPT_MULTISHOT << 16), fd, 0, 0, fileFlags, tag, 0);
}

/** Receives exactly `bytes`, fewer at the end of the stream. */
export function receiveAll(
  ring: Ring,
  fd: number,
  address: number,
  bytes: number,
  tag: number,
  generation: number,
): void {
  const head = OP.RECV | (RECVSEND_POLL_FIRST << 16);
  write(ring, head, fd, address, bytes, MSG_WAITALL, tag, generation);
}

/** Receives one datagram. */
export function receiveDatagram(
  ring: Ring,
  fd: number,
  address: number,
  bytes: number,
  tag: number,
  generation: number,
): void {
  write(ring, OP.RECV | (RECVSEND_POLL_FIRST << 16), fd, address, bytes, 0, tag, generation);
}

/** Takes up to `bytes` off the stream without copying them. */
export function discard(
  ring: Ring,
  fd: number,
  address: number,
  bytes: number,
  tag: number,
  generation: number,
): void {
  write(ring, OP.RECV, fd, address, bytes, MSG_TRUNC, tag, generation);
}

/** Sends all `bytes`; completes only when that fails. */
export function sendQuietly(
  ring: Ring,
  fd: number,
  address: number,
  bytes: number,
  tag: number,
  generation: number,
): void {
  const head = OP.SEND | (IOSQE_CQE_SKIP_SUCCESS << 8);
  write(ring, head, fd, address, bytes, MSG_WAITALL | MSG_NOSIGNAL, tag, generation);
}

/** Receives a datagram and its sender into `message` (struct msghdr); linked to the next entry. */
export function receiveMessage(
  ring: Ring,
  fd: number,
  message: number,
  link: 'linked' | 'last',
  tag: number,
): void {
  const head = OP.RECVMSG | ((link === 'linked' ? IOSQE_IO_LINK : 0) << 8);
  write(ring, head, fd, message, 1, 0, tag, 0);
}

/** Sends `message` to where it came from; completes only when that fails. */
export function replyMessage(ring: Ring, fd: number, message: number, tag: number): void {
  const head = OP.SENDMSG | (IOSQE_CQE_SKIP_SUCCESS << 8);
  write(ring, head, fd, message, 1, MSG_NOSIGNAL, tag, 0);
}

/** Fills all words of an entry whose offset and buffer group are not used. */
export function write(
  ring: Ring,
  head: number,
  fd: number,
  address: number,
  length: number,
  flags: number,
  tag: number,
  generation: number,
): void {
  const at = ring.claim();
  const words = ring.entries;
  words[at] = head;
  words[at + 1] = fd;
  words[at + 2] = 0;
  words[at + 3] = 0;
  words[at + 4] = address | 0;
  words[at + 5] = Math.floor(address / 2 ** 32);
  words[at + 6] = length;
  words[at + 7] = flags;
  words[at + 8] = tag;
  words[at + 9] = generation;
  words[at + 10] = 0;
  words[at + 11] = 0;
  words[at + 12] = 0;
  words[at + 13] = 0;
  words[at + 14] = 0;
  words[at + 15] = 0;
}
