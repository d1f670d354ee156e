/**
 * Clients that leave at a random moment of their session, by FIN, by RST or by closing: before,
 * during or after a PROXY header, a wait, a dial or an exchange.
 */
import { Socket } from 'node:net';
import { below, type Random } from '../../../src/core/random.js';
import { pass } from '../deadline.js';

export interface LeaverTarget {
  readonly port: number;
  /** Whether it expects a PROXY header. */
  readonly header: 'none' | 'v1';
}

const HEADER = Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1000 2000\r\n');
const MAX_BYTES = 20_000;
/** The longest pause between two acts; most are a turn of the event loop. */
const MAX_PAUSE_MS = 25;

/** `count` clients, at most `atOnce` at a time; resolves when all have left. */
export async function leavers(
  targets: readonly LeaverTarget[],
  count: number,
  atOnce: number,
  random: Random,
): Promise<void> {
  let begun = 0;
  const next = async (): Promise<void> => {
    while (begun < count) {
      const target = targets[begun++ % targets.length];
      if (target !== undefined) await leave(target, random);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}

async function leave({ port, header }: LeaverTarget, random: Random): Promise<void> {
  const socket = new Socket({ allowHalfOpen: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  if (below(random, 4) > 0) socket.resume();
  socket.connect(port, '127.0.0.1');
  if (header === 'v1') {
    const cut = below(random, HEADER.length);
    socket.write(HEADER.subarray(0, cut));
    await moment(random);
    if (below(random, 8) > 0) socket.write(HEADER.subarray(cut));
  }
  for (let pieces = below(random, 4); pieces > 0 && !socket.destroyed; pieces--) {
    socket.write(Buffer.alloc(1 + below(random, MAX_BYTES), 'x'));
    await moment(random);
  }
  await go(socket, random);
  await closed;
}

async function go(socket: Socket, random: Random): Promise<void> {
  const how = below(random, 3);
  if (how === 0 && !socket.connecting && !socket.destroyed) {
    socket.resetAndDestroy();
    return;
  }
  if (how === 1) {
    socket.end();
    await moment(random);
    await moment(random);
  }
  socket.destroy();
}

async function moment(random: Random): Promise<void> {
  const ms = below(random, 3) === 0 ? below(random, MAX_PAUSE_MS) : 0;
  await (ms === 0 ? new Promise((resolve) => setImmediate(resolve)) : pass(ms));
}
