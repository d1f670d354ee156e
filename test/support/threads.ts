/** Threads of another process, as proc(5) shows them. */
import { readdirSync, readFileSync } from 'node:fs';
import { eventually, nowMs, PATIENCE_MS } from './deadline.js';

/** Its number is the same on every machine. */
const IO_URING_ENTER = '426';

/** Resolves when a thread of `pid` has slept in io_uring_enter(2) for `forMs` without a wake-up. */
export async function sleptInRing(pid: number, forMs: number): Promise<void> {
  const since = new Map<string, { readonly switches: number; readonly fromMs: number }>();
  await eventually('a thread that sleeps in its ring', () => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`;
      if (readFileSync(`${folder}/syscall`, 'latin1').split(' ')[0] !== IO_URING_ENTER) continue;
      const switches = switchesIn(readFileSync(`${folder}/status`, 'latin1'));
      const seen = since.get(thread);
      if (seen?.switches !== switches) since.set(thread, { switches, fromMs: nowMs() });
      else if (nowMs() - seen.fromMs >= forMs) return true;
    }
    return undefined;
  });
}

/** Resolves when no thread of `pid` has been woken up for `forMs`. */
export async function allSlept(pid: number, forMs: number): Promise<void> {
  let seen = { switches: Number.NaN, fromMs: 0 };
  await eventually(
    'a process that sleeps',
    () => {
      const switches = readdirSync(`/proc/${pid}/task`)
        .map((thread) => wakeUps(pid, Number(thread)))
        .reduce((sum, count) => sum + count, 0);
      if (seen.switches !== switches) seen = { switches, fromMs: nowMs() };
      return nowMs() - seen.fromMs >= forMs ? true : undefined;
    },
    3 * PATIENCE_MS,
  );
}

/** How often a thread has slept so far; the main thread has the number of its process. */
export function wakeUps(pid: number, thread: number): number {
  return switchesIn(readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'));
}

function switchesIn(status: string): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
}
