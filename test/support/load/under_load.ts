/** New connections while something happens, however long that takes. */
import { atRate } from '../deadline.js';
import type { Target } from '../wire.js';
import { exchangeOnce, type Failure } from './short_connections.js';

export const NEW_PER_SECOND = 500;
const BEFORE_AND_AFTER_MS = 200;

export interface UnderLoad<T> {
  readonly done: number;
  readonly failures: readonly Failure[];
  /** Those that found no open door. */
  readonly refused: readonly Failure[];
  readonly result: T;
}

/** This many wait at most: a machine that stands still for long must not fill the backlog. */
const MOST_WAITING = 2_000;

/** A client that waits for a process that starts, on a busy machine, is not refused. */
const WAIT_MS = 60_000;

/** NEW_PER_SECOND from before `act` until after it, whether they are served at once or wait. */
export async function underLoad<T>(target: Target, act: () => Promise<T>): Promise<UnderLoad<T>> {
  const running: Promise<Failure | null>[] = [];
  let waiting = 0;
  const connect = (): void => {
    if (waiting >= MOST_WAITING) return;
    waiting++;
    running.push(exchangeOnce(target, WAIT_MS).finally(() => waiting--));
  };
  const load = (durationMs: number): Promise<number> => atRate(NEW_PER_SECOND, durationMs, connect);
  await load(BEFORE_AND_AFTER_MS);
  let over = false;
  const acting = act().finally(() => {
    over = true;
  });
  while (!over) await load(BEFORE_AND_AFTER_MS / 2);
  const result = await acting;
  await load(BEFORE_AND_AFTER_MS);
  const ends = await Promise.all(running);
  const failures = ends.filter((failure) => failure !== null);
  const refused = failures.filter(({ reason }) => reason.startsWith('connect:'));
  return { done: ends.length, failures, refused, result };
}
