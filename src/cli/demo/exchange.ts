/** One session of the demo's clients: connect, ask, take the answer, make sure that it is ours. */
import { connect } from 'node:net';
import type { Clock, Timers } from '../../core/clock.js';

/** Far above the slowest backend: a request that waits longer was lost. */
const PATIENCE_MS = 10_000;

export type ExchangeEnd =
  | { readonly kind: 'answered'; readonly backend: string; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly reason: string };

export interface DemoTarget {
  readonly host: string;
  readonly port: number;
}

/** Sends the line `request` to `target`; the answer must be the name of a backend and the line. */
export function askOneLine(
  target: DemoTarget,
  request: string,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): Promise<ExchangeEnd> {
  const beganMs = clock.nowMs();
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(target);
    const limit = timers.after(PATIENCE_MS, () => socket.destroy(new Error('no answer in time')));
    let end: ExchangeEnd = { kind: 'failed', reason: 'the connection closed without an answer' };
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${request}\n`));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('end', () => {
      const [backend = '', echoed] = answer.trimEnd().split(' ');
      end =
        echoed === request
          ? { kind: 'answered', backend, durationMs: clock.nowMs() - beganMs }
          : { kind: 'failed', reason: `an answer that is not ours: ${JSON.stringify(answer)}` };
    });
    socket.on('error', (error) => {
      end = { kind: 'failed', reason: error.message };
    });
    socket.on('close', () => {
      limit.cancel();
      resolve(end);
    });
  });
}
