/** The demo's traffic as the main thread sees it: started, sent on its way, read, finished. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { DemoTarget } from './exchange.js';
import { type DemoTally, NOTHING_YET } from './tally.js';
import type { DemoAddress } from './traffic.js';

export type ToTraffic =
  | { readonly kind: 'begin'; readonly target: DemoTarget }
  | { readonly kind: 'finish' };

export type FromTraffic =
  | { readonly kind: 'open'; readonly backends: readonly DemoAddress[] }
  | { readonly kind: 'tally'; readonly tally: DemoTally }
  | { readonly kind: 'finished'; readonly tally: DemoTally };

export class TrafficWorker {
  readonly #thread: Worker;
  #tally: DemoTally = NOTHING_YET;

  constructor() {
    this.#thread = new Worker(new URL('./traffic_thread.js', import.meta.url), {
      name: 'demo-traffic',
    });
    this.#thread.on('message', (message: FromTraffic) => {
      if (message.kind !== 'open') this.#tally = message.tally;
    });
  }

  /** What the clients had seen a moment ago. */
  get tally(): DemoTally {
    return this.#tally;
  }

  /** Resolves when the servers accept. */
  async open(): Promise<readonly DemoAddress[]> {
    const message = await this.#hear('open');
    return message.kind === 'open' ? message.backends : [];
  }

  begin(target: DemoTarget): void {
    this.#thread.postMessage({ kind: 'begin', target } satisfies ToTraffic);
  }

  /** Resolves with everything that was seen, when every client has had its answer. */
  async finish(): Promise<DemoTally> {
    this.#thread.postMessage({ kind: 'finish' } satisfies ToTraffic);
    await this.#hear('finished');
    return this.#tally;
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }

  /** Rejects when the thread ends by an error. */
  async #hear(kind: FromTraffic['kind']): Promise<FromTraffic> {
    for (;;) {
      const [message] = (await once(this.#thread, 'message')) as [FromTraffic];
      if (message.kind === kind) return message;
    }
  }
}
