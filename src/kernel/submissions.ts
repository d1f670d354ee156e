/**
 * Writes submission entries. Each function fills all sixteen words of struct io_uring_sqe, because
 * a place in the queue still holds the entry that was there before. User data is two 32-bit words,
 * which come back in the completion.
 */
import type { BufferPool } from './buffer_pool.js';
import { highWord, lowWord, writeAddress } from './memory.js';
import type { Ring } from './ring.js';
import {
  IOSQE_BUFFER_SELECT,
  IOSQE_CQE_SKIP_SUCCESS,
  OP,
  POLL_ADD_MULTI,
  RECV_MULTISHOT,
  SOCKET_SETSOCKOPT,
} from './uring_abi.js';

/** <bits/socket.h> */
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITALL = 0x100;
export const MSG_NOSIGNAL = 0x4000;

/** poll(2) */
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;

function write(
  ring: Ring,
  head: number,
  fd: number,
  offset: number,
  addressLow: number,
  addressHigh: number,
  length: number,
  flags: number,
  low: number,
  high: number,
  group: number,
): number {
  const at = ring.claim();
  const words = ring.entries;
  words[at] = head;
  words[at + 1] = fd;
  words[at + 2] = offset;
  words[at + 3] = 0;
  words[at + 4] = addressLow;
  words[at + 5] = addressHigh;
  words[at + 6] = length;
  words[at + 7] = flags;
  words[at + 8] = low;
  words[at + 9] = high;
  words[at + 10] = group;
  words[at + 11] = 0;
  words[at + 12] = 0;
  words[at + 13] = 0;
  words[at + 14] = 0;
  words[at + 15] = 0;
  return at;
}

/**
 * Receives at most `length` bytes (0: a whole buffer) into a buffer of pool `group`. `how`:
 * RECVSEND_POLL_FIRST, RECV_MULTISHOT (then `length` is 0).
 */
export function submitReceive(
  ring: Ring,
  fd: number,
  group: number,
  length: number,
  how: number,
  low: number,
  high: number,
): void {
  const head = OP.RECV | (IOSQE_BUFFER_SELECT << 8) | (how << 16);
  write(ring, head, fd, 0, 0, 0, length, 0, low, high, group);
}

/**
 * Sends `length` bytes at `offset` of the pool's memory without waiting for room, and completes
 * only when not everything was sent: with the number of bytes that were, or an errno. So once the
 * kernel has taken the entry and no such completion is there, all was sent and the memory is free.
 */
export function submitSilentSend(
  ring: Ring,
  fd: number,
  pool: BufferPool,
  offset: number,
  length: number,
  low: number,
  high: number,
): void {
  const address = pool.address + offset;
  const head = OP.SEND | (IOSQE_CQE_SKIP_SUCCESS << 8);
  const flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
  write(ring, head, fd, 0, lowWord(address), highWord(address), length, flags, low, high, 0);
}

/** The address is read when the kernel takes the entry. */
export function submitConnect(
  ring: Ring,
  fd: number,
  address: number,
  addressBytes: number,
  low: number,
  high: number,
): void {
  const to = lowWord(address);
  write(ring, OP.CONNECT, fd, addressBytes, to, highWord(address), 0, 0, low, high, 0);
}

/**
 * Sets an option to the `bytes` at address `value` (setsockopt(2); Linux 6.7, before it EOPNOTSUPP
 * or EINVAL); completes only on failure.
 */
export function submitSetOption(
  ring: Ring,
  fd: number,
  level: number,
  option: number,
  value: number,
  bytes: number,
  low: number,
  high: number,
): void {
  const head = OP.URING_CMD | (IOSQE_CQE_SKIP_SUCCESS << 8);
  const at = write(ring, head, fd, SOCKET_SETSOCKOPT, level, option, 0, 0, low, high, 0);
  ring.entries[at + 11] = bytes;
  writeAddress(ring.entries, at + 12, value);
}

/** Closes `fd` after everything submitted before; completes only on failure. */
export function submitClose(ring: Ring, fd: number, low: number, high: number): void {
  write(ring, OP.CLOSE | (IOSQE_CQE_SKIP_SUCCESS << 8), fd, 0, 0, 0, 0, 0, low, high, 0);
  ring.closing(fd);
}

/** Cancels the operation of that user data; completes only when there was none to cancel. */
export function submitCancel(
  ring: Ring,
  targetLow: number,
  targetHigh: number,
  low: number,
  high: number,
): void {
  const head = OP.ASYNC_CANCEL | (IOSQE_CQE_SKIP_SUCCESS << 8);
  write(ring, head, -1, 0, targetLow, targetHigh, 0, 0, low, high, 0);
}

/** Completes once when one of `events` is there. */
export function submitPoll(
  ring: Ring,
  fd: number,
  events: number,
  low: number,
  high: number,
): void {
  write(ring, OP.POLL_ADD, fd, 0, 0, 0, 0, events, low, high, 0);
}

/** Completes at first if one of `events` is there, and each time that one comes. */
export function submitPollMany(
  ring: Ring,
  fd: number,
  events: number,
  low: number,
  high: number,
): void {
  write(ring, OP.POLL_ADD, fd, 0, 0, 0, POLL_ADD_MULTI, events, low, high, 0);
}

/**
 * Receives datagrams as `message` (struct msghdr) asks, one after the other, each into a buffer of
 * pool `group`, behind a struct io_uring_recvmsg_out, its name and its control messages.
 */
export function submitReceiveMessages(
  ring: Ring,
  fd: number,
  message: number,
  group: number,
  low: number,
  high: number,
): void {
  const head = OP.RECVMSG | (IOSQE_BUFFER_SELECT << 8) | (RECV_MULTISHOT << 16);
  write(ring, head, fd, 0, lowWord(message), highWord(message), 1, 0, low, high, group);
}

/**
 * Sends a datagram as `message` (struct msghdr) says, without waiting for room; completes only on
 * failure. The kernel reads the message when it takes the entry.
 */
export function submitSilentMessage(
  ring: Ring,
  fd: number,
  message: number,
  low: number,
  high: number,
): void {
  const head = OP.SENDMSG | (IOSQE_CQE_SKIP_SUCCESS << 8);
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  write(ring, head, fd, 0, lowWord(message), highWord(message), 1, flags, low, high, 0);
}
