/**
 * What Linux knows of one TCP connection beyond its queues: for rare moments, one call each, and
 * for sockets of any engine. Other kernels and unix sockets give nothing.
 */
import type { PathInfo } from '../core/path_info.js';
import type { Kernel } from './foreign.js';
import { IPPROTO_TCP, SOL_SOCKET } from './sockets.js';

/** <netinet/tcp.h> */
const TCP_INFO = 11;
const TCP_CLOSE = 7;
/** <asm-generic/socket.h> */
const SO_ERROR = 4;

/** struct tcp_info of <linux/tcp.h>, of which these are part since Linux 2.6. */
const STATE_AT = 0;
const LAST_DATA_SENT_WORD = 11;
const RTT_WORD = 17;
const TOTAL_RETRANS_WORD = 25;
const BYTES = 104;

/**
 * For how many milliseconds no data has left for the peer of `fd`. While data waits to be sent, its
 * peer has taken none for this long: what probes a closed window carries no data.
 */
export function silentMs(kernel: Kernel, fd: number): number {
  const info = infoOf(kernel, fd);
  return info === null ? 0 : (new Uint32Array(info.buffer)[LAST_DATA_SENT_WORD] ?? 0);
}

/**
 * How the connection of `fd` has gone so far, also after its end; null: the kernel does not say.
 * The round-trip time is the kernel's smoothed one (RFC 6298), in microseconds.
 */
export function pathOf(kernel: Kernel, fd: number): PathInfo | null {
  const info = infoOf(kernel, fd);
  if (info === null) return null;
  const words = new Uint32Array(info.buffer);
  const rttMicros = words[RTT_WORD] ?? 0;
  return {
    rttMs: rttMicros === 0 ? null : rttMicros / 1_000,
    retransmits: words[TOTAL_RETRANS_WORD] ?? 0,
  };
}

/** The errno that ended the connection of `fd`, if it has not been reported yet; 0: none has. */
export function unheardError(kernel: Kernel, fd: number): number {
  // Of a connection that goes on the answer may be an error that is none yet (ip(7), IP_RECVERR).
  if (infoOf(kernel, fd)?.[STATE_AT] !== TCP_CLOSE) return 0;
  const error = new Int32Array(1);
  const answer = kernel.libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, error, Int32Array.of(4));
  return answer < 0 ? 0 : (error[0] ?? 0);
}

function infoOf(kernel: Kernel, fd: number): Uint8Array<ArrayBuffer> | null {
  const info = new Uint8Array(BYTES);
  const size = Int32Array.of(BYTES);
  const answer = kernel.libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, size);
  return answer < 0 || (size[0] ?? 0) < BYTES ? null : info;
}
