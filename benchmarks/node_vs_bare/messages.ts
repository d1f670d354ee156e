/** What the benchmark's processes send each other over their IPC channel. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** `exchange`: connections that stay; `session`: connect, one exchange, close. */
export const WORKS = ['exchange', 'session'] as const;
export type Work = (typeof WORKS)[number];

/** To the load process. */
export interface Order {
  readonly work: Work;
  readonly port: number;
  readonly connections: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** From the load process, when measuring begins and when it has ended. */
export type Report =
  | { readonly kind: 'begin' }
  | { readonly kind: 'end'; readonly count: number; readonly elapsedMs: number };

/** From each process that listens. */
export interface Listening {
  readonly port: number;
}

export async function message<T>(child: ChildProcess): Promise<T> {
  const [received] = (await once(child, 'message')) as [T];
  return received;
}

export function tell(what: Report | Listening): void {
  process.send?.(what);
}
