/** What the processes of the library's benchmark send each other. */
import type { ChildProcess } from 'node:child_process';

/** How an application asks several backends by undici. */
export const PEERS = {
  pool: "undici's `Pool` at one backend",
  balanced: "undici's `BalancedPool`",
  connector: '`Pool` with `undiciConnector`, p2c',
  execute: '`execute` with a `Pool` each, p2c',
  'execute-latency': '`execute`, least-latency',
  'execute-adaptive': '`execute`, adaptive',
  'execute-hedge': '`execute`, p2c, hedged',
  daemon: '`Pool` at the daemon, p2c',
} as const;

export type PeerName = keyof typeof PEERS;

/** To a client: one turn. */
export interface Order {
  /** `closed`: each lane asks when it was answered; `open`: a number per second, by chance. */
  readonly loop: { readonly lanes: number } | { readonly perSecond: number };
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** From a client: its measured span begins, and what it was. */
export type Report =
  | { readonly kind: 'begin' }
  | {
      readonly kind: 'end';
      readonly count: number;
      readonly failed: number;
      readonly elapsedMs: number;
      readonly cpuMicros: number;
      readonly p50Ms: number;
      readonly p99Ms: number;
    };

export interface Listening {
  readonly ports: readonly number[];
}

/** To the backends: how long each takes to answer. */
export interface Delays {
  readonly delaysMs: readonly number[];
}

export function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the benchmark ended'));
    child.once('exit', ended);
    child.once('message', (received) => {
      child.off('exit', ended);
      resolve(received as T);
    });
  });
}

export function tell(what: Report | Listening): void {
  process.send?.(what);
}
