/** The crowd of `crowd_program.ts` in the hands of a test. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Child, startChild } from '../process.js';
import type { Order } from './crowd_program.js';

export class Crowd {
  /** Addresses of the backend that streams without end, and of the one that never reads. */
  readonly endless: string;
  readonly hung: string;
  readonly #child: Child;

  constructor(child: Child, ports: { endless: number; hung: number }) {
    this.#child = child;
    this.endless = `127.0.0.1:${ports.endless}`;
    this.hung = `127.0.0.1:${ports.hung}`;
  }

  /** Resolves when it is done. */
  async do(order: Order, limitMs = 60_000): Promise<void> {
    const answer = this.#child.stdout.next('an answer', () => true, limitMs);
    this.#child.write(`${JSON.stringify(order)}\n`);
    const text = await answer;
    if (text.includes('"failed"')) throw new Error(`${JSON.stringify(order)}: ${text}`);
  }
}

export async function startCrowd(t: Test): Promise<Crowd> {
  const program = join(import.meta.dirname, 'crowd_program.js');
  const child = startChild(t, process.execPath, [program], { openFiles: 20_000 });
  const first = await child.stdout.first('the ports', () => true);
  return new Crowd(child, JSON.parse(first) as { endless: number; hung: number });
}
