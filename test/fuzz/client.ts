/** One fuzzed session as its client sees it, and whether what it got can be true. */
import { type AddressInfo, Socket } from 'node:net';
import { nowMs, PATIENCE_MS, within } from '../support/deadline.js';
import type { FirstMessage } from './first_messages.js';

/** TLS, RFC 8446, 6: an alert, fatal, `unrecognized_name`; behind the version and two bytes. */
const ALERT = 0x15;
const UNRECOGNIZED_NAME = '00020270';
/** Postgres: an ErrorResponse with a message of sluice's. */
const ERROR_RESPONSE = /^E[\s\S]*\0Msluice does not serve this session: [a-z-]+\0\0$/;

export interface Played {
  readonly ms: number;
  /** null: all is well. */
  readonly wrong: string | null;
}

/** Resolves when the connection is gone; it must not last longer than any limit of the daemon. */
export async function play(message: FirstMessage, port: number): Promise<Played> {
  const { pieces, then, seed } = message;
  const socket = new Socket({ allowHalfOpen: false });
  const got: Buffer[] = [];
  let failure: string | null = null;
  let isConnected = false;
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk);
    if (!socket.writableEnded) socket.end();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.message;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.once('connect', () => {
    isConnected = true;
    socket.setNoDelay(true);
    say(socket, pieces, then);
  });
  const beganMs = nowMs();
  socket.connect({ port, host: '127.0.0.1', localAddress: sourceOf(seed) });
  try {
    await within('the end', closed, PATIENCE_MS);
  } catch {
    const { port: from } = socket.address() as AddressInfo;
    socket.destroy();
    return { ms: nowMs() - beganMs, wrong: `it has not ended (port ${from})` };
  }
  const ms = nowMs() - beganMs;
  // On a busy machine its time may be over before it sees that it was connected.
  if (!isConnected && failure !== 'ECONNRESET') {
    return { ms, wrong: `it did not connect: ${failure}` };
  }
  const isTrue = canBe(Buffer.concat(pieces), Buffer.concat(got));
  return { ms, wrong: isTrue ? null : `it got ${Buffer.concat(got).toString('hex').slice(0, 80)}` };
}

/** Each piece in a turn of its own, so that most of them come in a segment of their own. */
function say(socket: Socket, pieces: readonly Buffer[], then: FirstMessage['then']): void {
  const [piece, ...rest] = pieces;
  if (socket.destroyed || socket.writableEnded) return;
  if (piece !== undefined) {
    socket.write(piece);
    setImmediate(() => say(socket, rest, then));
    return;
  }
  if (then === 'finishes') socket.end();
  if (then === 'resets') socket.resetAndDestroy();
}

/** Answers of sluice, and then a part of what was said, or why the session was refused. */
function canBe(said: Buffer, got: Buffer): boolean {
  if (said.includes(got)) return true;
  if (got[0] === ALERT) return got.toString('hex', 3) === UNRECOGNIZED_NAME;
  const text = got.toString('latin1');
  if (ERROR_RESPONSE.test(text)) return true;
  return (text.startsWith('S') || text.startsWith('N')) && canBe(said, got.subarray(1));
}

/** One of 127.0.0.0/8: a client may send a limited number of cancels. */
function sourceOf(seed: number): string {
  return `127.${1 + (seed % 100)}.${(seed >> 8) & 255}.${1 + (seed % 250)}`;
}
