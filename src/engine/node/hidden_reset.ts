/**
 * Whether a connection was reset, where libuv does not say: it takes a hang-up that comes together
 * with data for the end of the stream, whatever it was (uv__stream_io in its unix/stream.c), and it
 * does not watch a socket that is not read.
 *
 * A write of nothing fails on a connection that was reset, and sends nothing on another one. A
 * socket that FIN has left by cannot be written to: there the kernel is asked, where it can be.
 */
import type { Socket } from 'node:net';
import type { Timers } from '../../core/clock.js';
import { kernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { unheardError } from '../../kernel/tcp_info.js';
import { descriptorOf, type Link, writeNothing } from './socket.js';

/** How soon the reset of a client that had finished before its relay is noticed. */
const FINISHED_CHECK_MS = 250;

/** If `link` was reset, the socket's own 'error' follows. */
export function askForReset({ socket }: Link, kernel: Kernel | null): void {
  if (socket.writableEnded) breakIfReset(socket, kernel);
  // One that is written to finds out by itself.
  else if (socket.writableLength === 0) writeNothing(socket, () => {});
}

/**
 * After 'end': calls `then` if it was FIN; if it was RST, the socket's 'error' follows instead. A
 * unix peer that has said what it had to say and left is no reset, but writing to it would fail.
 */
export function whenTrulyEnded(link: Link, kernel: Kernel | null, then: () => void): void {
  const { socket, kind } = link;
  if (kind === 'unix' || socket.writableLength > 0) then();
  else if (!socket.writableEnded) writeNothing(socket, then);
  else if (!breakIfReset(socket, kernel)) then();
}

/**
 * A client that has said all that it has to say, or nothing, waits for an answer. Nothing reports
 * its reset any more (libuv polls no socket that has ended), so it is asked now and then.
 */
export function watchFinished(
  link: Link,
  host: { readonly kernel: Kernel | null; readonly timers: Timers },
  pair: { readonly waits: () => boolean; readonly alone: (work: () => void) => void },
): void {
  if (link.kind === 'unix' || !pair.waits()) return;
  whenTrulyEnded(link, host.kernel, () => {});
  host.timers.after(FINISHED_CHECK_MS, () => pair.alone(() => watchFinished(link, host, pair)));
}

function breakIfReset(socket: Socket, kernel: Kernel | null): boolean {
  const fd = descriptorOf(socket);
  if (fd === null || kernel === null) return false;
  const errno = unheardError(kernel, fd);
  if (errno === 0) return false;
  // As Node.js would have made it of the same errno.
  const { errno: code, sentence } = kernelError('read', -errno);
  socket.destroy(Object.assign(new Error(sentence), { code }));
  return true;
}
