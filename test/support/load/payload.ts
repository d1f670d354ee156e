/** Large payloads whose every byte is checked: produced piece by piece, compared by SHA-256. */
import { createHash, type Hash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { seededRandom } from '../../../src/core/random.js';
import { within } from '../deadline.js';

const PIECE_BYTES = 65_536;
export const MIB = 1024 * 1024;

/** Pseudo-random bytes that do not repeat within the payload. */
function* pieces(totalBytes: number, seed: number): Generator<Buffer> {
  const random = seededRandom(seed);
  const base = Buffer.alloc(PIECE_BYTES);
  for (let i = 0; i < PIECE_BYTES; i += 4)
    base.writeUInt32LE(Math.floor(random.next() * 2 ** 32), i);
  for (let sent = 0; sent < totalBytes; sent += PIECE_BYTES) {
    const piece = Buffer.from(base.subarray(0, Math.min(PIECE_BYTES, totalBytes - sent)));
    piece.writeUInt32LE(sent / PIECE_BYTES, 0);
    yield piece;
  }
}

/** The SHA-256 of the payload that `sendPayload` sends with the same arguments. */
export function payloadDigest(totalBytes: number, seed: number): string {
  const hash = createHash('sha256');
  for (const piece of pieces(totalBytes, seed)) hash.update(piece);
  return hash.digest('hex');
}

/** Writes the payload as fast as the other side takes it, then ends the direction. */
export async function sendPayload(to: Writable, totalBytes: number, seed: number): Promise<void> {
  for (const piece of pieces(totalBytes, seed)) {
    if (!to.write(piece)) await new Promise((resolve) => to.once('drain', resolve));
  }
  await new Promise<void>((resolve) => to.end(resolve));
}

/** Reads to the end and gives the SHA-256. */
export function receiveDigest(from: Readable, limitMs: number): Promise<string> {
  const hash: Hash = createHash('sha256');
  const digest = new Promise<string>((resolve, reject) => {
    from.on('data', (chunk: Buffer) => hash.update(chunk));
    from.once('end', () => resolve(hash.digest('hex')));
    from.once('error', reject);
  });
  return within('the whole payload', digest, limitMs);
}

/** Bytes that the kernel has taken from this socket's writer. */
export function takenBytes(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}
