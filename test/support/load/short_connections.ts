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

interface Exchange {
  /** From the connect to the whole answer; null: there was none. */
  readonly answeredMs: number | null;
  readonly failure: Failure | null;
}

/** One exchange; null when all went well. */
export async function exchangeOnce(target: Target, limitMs = PATIENCE_MS): Promise<Failure | null> {
  return (await exchange(target, limitMs)).failure;
}

async function exchange(target: Target, limitMs: number): Promise<Exchange> {
  const startedMs = nowMs();
  let answeredMs: number | null = null;
  const ended = (reason: string | null): Exchange => ({
    answeredMs,
    failure: reason === null ? null : { reason, startedMs, endedMs: nowMs() },
  });
  const wire = await tryDial(target);
  if (typeof wire === 'string') return ended(`connect: ${wire}`);
  try {
    const block = Buffer.alloc(BLOCK_BYTES, ++serial & 0xff);
    block.writeUInt32BE(serial >>> 0);
    await wire.send(block);
    const answer = await wire.read(BLOCK_BYTES, limitMs);
    answeredMs = nowMs() - startedMs;
    if (!answer.equals(block)) return ended('the answer was changed');
    wire.finish();
    const how = await within('the other end', wire.ended, limitMs);
    return ended(how === 'fin' ? null : `ended with ${how}`);
  } catch (error) {
    return ended(String(error));
  } finally {
    wire.socket.destroy();
  }
}

export interface LoadReport {
  readonly done: number;
  readonly failures: readonly Failure[];
  /** Of those that were answered, in ascending order. */
  readonly answeredMs: readonly number[];
}

/** `perSecond` exchanges per second for `durationMs`; resolves when the last one is over. */
export async function shortConnections(
  target: Target,
  perSecond: number,
  durationMs: number,
  limitMs = PATIENCE_MS,
): Promise<LoadReport> {
  const running: Promise<Exchange>[] = [];
  await atRate(perSecond, durationMs, () => running.push(exchange(target, limitMs)));
  return report(await Promise.all(running));
}

/** `count` exchanges at once. */
export async function burst(target: Target, count: number, limitMs: number): Promise<LoadReport> {
  return report(await Promise.all(Array.from({ length: count }, () => exchange(target, limitMs))));
}

function report(exchanges: readonly Exchange[]): LoadReport {
  return {
    done: exchanges.length,
    failures: exchanges.flatMap(({ failure }) => (failure === null ? [] : [failure])),
    answeredMs: exchanges
      .flatMap(({ answeredMs }) => (answeredMs === null ? [] : [answeredMs]))
      .sort((a, b) => a - b),
  };
}

/** The value that `share` (0 to 1) of the ascending `values` do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

/** Failures by reason, for a test's message. */
export function tally(failures: readonly Failure[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason } of failures) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
