/**
 * No datagram reaches a thread of Node.js any more. Node.js aborts the whole process when one comes
 * in a thread that is being terminated (FromJust in UDPWrap::OnRecv, seen with Node.js 20), and a
 * thread that hangs closes nothing. So another one puts an empty socket in the place of each of its
 * datagram sockets: it has nothing to read, and the thread closes it as it ends.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { adoptDescriptor, closeDescriptor } from './descriptor.js';
import type { Kernel } from './foreign.js';
import { AF_INET } from './sockaddr.js';
import { SO_TYPE, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET } from './sockets.js';

/** dup3(2): <asm/unistd_64.h>, and <asm-generic/unistd.h> for all others that Node.js runs on. */
export const SYS_DUP3 = process.arch === 'x64' ? 292 : 24;
const O_CLOEXEC = 0o2000000;

/**
 * Mutes the event loop that polls `polled`. The thread must hang: one that opens and closes
 * meanwhile could get a number that is just being replaced.
 */
export function muteDatagrams(kernel: Kernel, polled: number): void {
  const { libc } = kernel;
  const fds = polledBeside(polled).filter((fd) => isDatagramSocket(kernel, fd));
  const empty = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (empty < 0) return;
  for (const fd of fds) libc.syscall(SYS_DUP3, empty, fd, O_CLOEXEC, 0, 0, 0);
  closeDescriptor(kernel, adoptDescriptor(empty));
}

/** Everything that the event loop of `polled` polls: proc(5), fdinfo of an epoll descriptor. */
function polledBeside(polled: number): readonly number[] {
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`) !== 'anon_inode:[eventpoll]') continue;
      const info = readFileSync(`/proc/self/fdinfo/${name}`, 'latin1');
      const fds = [...info.matchAll(/^tfd:\s*(\d+)/gm)].map(([, fd]) => Number(fd));
      if (fds.includes(polled)) return fds;
    } catch {
      // It has been closed since the folder was read: the folder's own descriptor always is.
    }
  }
  return [];
}

function isDatagramSocket({ libc }: Kernel, fd: number): boolean {
  const type = new Int32Array(1);
  const answer = libc.getsockopt(fd, SOL_SOCKET, SO_TYPE, type, new Int32Array([type.byteLength]));
  return answer === 0 && type[0] === SOCK_DGRAM;
}
