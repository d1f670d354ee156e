/** The first byte that a backend says when it was asked something, before its relay begins. */
import type { Socket } from 'node:net';

/**
 * Calls `then` with the byte, or with null when FIN came instead; what comes behind the byte waits
 * in the paused socket. While `isAwaited` says no, what comes is dropped.
 */
export function firstAnswer(
  socket: Socket,
  isAwaited: () => boolean,
  then: (byte: number | null) => void,
): void {
  const hear = (chunk: Buffer | null): void => {
    if (!isAwaited()) return;
    socket.off('data', hear);
    socket.off('end', finished);
    socket.pause();
    if (chunk !== null && chunk.length > 1) socket.unshift(chunk.subarray(1));
    then(chunk?.[0] ?? null);
  };
  const finished = (): void => hear(null);
  socket.on('data', hear);
  socket.on('end', finished);
}
