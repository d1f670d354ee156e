/** Clients that connect, exchange one block and leave, at a rate or all at once. */
import { atRate, nowMs, PATIENCE_MS, within } from '../deadline.js';
import { type Target, tryDial } from '../wire.js';

const BLOCK_BYTES = 64;
let serial = 0;

export interface Failure {
  readonly reason: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** One exchange; null when all went well. */
export async function exchangeOnce(target: Target, limitMs = PATIENCE_MS): Promise<Failure | null> {
  const startedMs = nowMs();
  const failed = (reason: string): Failure => ({ reason, startedMs, endedMs: nowMs() });
  const wire = await tryDial(target);
  if (typeof wire === 'string') return failed(`connect: ${wire}`);
  try {
    const block = Buffer.alloc(BLOCK_BYTES, ++serial & 0xff);
    block.writeUInt32BE(serial >>> 0);
    await wire.send(block);
    const answer = await wire.read(BLOCK_BYTES, limitMs);
    if (!answer.equals(block)) return failed('the answer was changed');
    wire.finish();
    const how = await within('the other end', wire.ended, limitMs);
    return how === 'fin' ? null : failed(`ended with ${how}`);
  } catch (error) {
    return failed(String(error));
  } finally {
    wire.socket.destroy();
  }
}

export interface LoadReport {
  readonly done: number;
  readonly failures: readonly Failure[];
}

/** `perSecond` exchanges a second for `durationMs`; resolves when the last one is over. */
export async function shortConnections(
  target: Target,
  perSecond: number,
  durationMs: number,
): Promise<LoadReport> {
  const running: Promise<Failure | null>[] = [];
  const done = await atRate(perSecond, durationMs, () => running.push(exchangeOnce(target)));
  return { done, failures: (await Promise.all(running)).filter((failure) => failure !== null) };
}

/** `count` exchanges at once. */
export async function burst(target: Target, count: number, limitMs: number): Promise<LoadReport> {
  const all = await Promise.all(Array.from({ length: count }, () => exchangeOnce(target, limitMs)));
  return { done: count, failures: all.filter((failure) => failure !== null) };
}

/** Failures by reason, for a test's message. */
export function tally(failures: readonly Failure[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason } of failures) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
