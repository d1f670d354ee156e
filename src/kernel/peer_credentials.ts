/** The user at the other end of a UNIX socket, as the kernel knows it: unix(7), SO_PEERCRED. */
import type { Kernel } from './foreign.js';
import { SOL_SOCKET } from './sockets.js';

/** <asm-generic/socket.h> */
const SO_PEERCRED = 17;
/** struct ucred of <linux/socket.h>: pid, uid, gid. */
const UCRED_BYTES = 12;
const UID_WORD = 1;

/** The user id of the process that connected `fd`; null where the kernel does not say. */
export function peerUser(kernel: Kernel, fd: number): number | null {
  const credentials = new Uint8Array(UCRED_BYTES);
  const size = Int32Array.of(UCRED_BYTES);
  const answer = kernel.libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, size);
  if (answer < 0 || (size[0] ?? 0) < UCRED_BYTES) return null;
  return new Uint32Array(credentials.buffer)[UID_WORD] ?? null;
}
