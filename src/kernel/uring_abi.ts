/**
 * What of io_uring's binary interface is used, from <linux/io_uring.h> (stable since each part was
 * added; io_uring(7), io_uring_setup(2), io_uring_enter(2), io_uring_register(2)). Offsets are in
 * 32-bit words, because entries are written and read through Int32Array.
 */

/** System call numbers, the same on every architecture that Node.js runs on. */
export const SYS_IO_URING_SETUP = 425;
export const SYS_IO_URING_ENTER = 426;
export const SYS_IO_URING_REGISTER = 427;

/** struct io_uring_params: 120 bytes. */
export const PARAMS_WORDS = 30;
export const PARAMS = {
  sqEntries: 0,
  cqEntries: 1,
  flags: 2,
  features: 5,
  /** struct io_sqring_offsets */
  sqHead: 10,
  sqTail: 11,
  sqRingEntries: 13,
  sqFlags: 14,
  sqArray: 16,
  /** struct io_cqring_offsets */
  cqHead: 20,
  cqTail: 21,
  cqRingEntries: 23,
  cqOverflow: 24,
  cqCqes: 25,
} as const;

export const SETUP_CQSIZE = 1 << 3;
export const SETUP_CLAMP = 1 << 4;
/** Linux 5.18 */
export const SETUP_SUBMIT_ALL = 1 << 7;
/** Linux 5.19 */
export const SETUP_TASKRUN_FLAG = 1 << 9;
/** Linux 6.0 */
export const SETUP_SINGLE_ISSUER = 1 << 12;
/** Linux 6.1 */
export const SETUP_DEFER_TASKRUN = 1 << 13;

export const FEAT_SINGLE_MMAP = 1 << 0;
export const FEAT_NODROP = 1 << 1;
export const FEAT_EXT_ARG = 1 << 8;
export const FEAT_CQE_SKIP = 1 << 11;

export const OFF_SQ_RING = 0;
export const OFF_SQES = 0x1000_0000;

export const SQ_CQ_OVERFLOW = 1 << 1;
export const SQ_TASKRUN = 1 << 2;

export const ENTER_GETEVENTS = 1 << 0;
export const ENTER_EXT_ARG = 1 << 3;
/** Linux 5.18 */
export const ENTER_REGISTERED_RING = 1 << 4;
/** struct io_uring_getevents_arg: sigmask, its size, min_wait_usec, address of a timespec. */
export const GETEVENTS_ARG_BYTES = 24;

export const REGISTER_EVENTFD = 4;
export const REGISTER_RING_FDS = 20;
export const UNREGISTER_RING_FDS = 21;
/** struct io_uring_rsrc_update: offset, resv, data. */
export const RSRC_UPDATE_WORDS = 4;
/** In `offset`: any free place. */
export const ANY_PLACE = -1;

export const REGISTER_PBUF_RING = 22;
/** struct io_uring_buf_reg: ring_addr, ring_entries, bgid and flags, resv[3]. */
export const BUF_REG_WORDS = 10;

/** struct io_uring_sqe: 64 bytes. */
export const SQE_WORDS = 16;
/** struct io_uring_cqe: 16 bytes. */
export const CQE_WORDS = 4;

/** IORING_OP_… */
export const OP = {
  NOP: 0,
  POLL_ADD: 6,
  SENDMSG: 9,
  RECVMSG: 10,
  ASYNC_CANCEL: 14,
  CONNECT: 16,
  CLOSE: 19,
  READ: 22,
  SEND: 26,
  RECV: 27,
  URING_CMD: 46,
} as const;

export const IOSQE_BUFFER_SELECT = 1 << 5;
export const IOSQE_CQE_SKIP_SUCCESS = 1 << 6;

/** In `cmd_op` of URING_CMD on a socket: SOCKET_URING_OP_SETSOCKOPT, Linux 6.7. */
export const SOCKET_SETSOCKOPT = 3;

/** In `ioprio` of SEND and RECV. */
export const RECVSEND_POLL_FIRST = 1 << 0;
export const RECV_MULTISHOT = 1 << 1;
/** In `len` of POLL_ADD. */
export const POLL_ADD_MULTI = 1 << 0;

export const CQE_F_BUFFER = 1 << 0;
export const CQE_F_MORE = 1 << 1;
export const CQE_F_SOCK_NONEMPTY = 1 << 2;
export const CQE_BUFFER_SHIFT = 16;
