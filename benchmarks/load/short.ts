/** Short connections: connect, one exchange, reset, the next one. */
import type { Clients } from './clients.js';
import { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import type { Target, Work } from './protocol.js';
import type { Workload } from './workload.js';

const TURN_MS = 20;

export class ShortConnections implements Workload {
  count = 0;
  failures = 0;
  /** From connect(2) to the reply. */
  readonly latency = new Histogram();
  readonly #loop: LoadLoop;
  readonly #clients: Clients;
  readonly #target: Target;
  readonly #work: Work & { readonly kind: 'short' };
  readonly #sinceMs: Float64Array;
  #state: 'running' | 'ended' = 'running';

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    work: Work & { readonly kind: 'short' },
  ) {
    this.#loop = loop;
    this.#clients = clients;
    this.#target = target;
    this.#work = work;
    this.#sinceMs = new Float64Array(work.connections);
  }

  begin(): void {
    const { bytes, connections } = this.#work;
    this.#clients.prepare({
      ...this.#target,
      bytes,
      sources: this.#work.sources ?? 1,
      events: {
        connected: (slot) => this.#clients.exchange(slot),
        replied: (slot) => {
          this.count++;
          this.latency.record((performance.now() - (this.#sinceMs[slot] ?? 0)) * 1e6);
          this.#clients.close(slot);
          this.#connect(slot);
        },
        failed: (slot) => {
          this.failures++;
          this.#connect(slot);
        },
      },
    });
    for (let slot = 0; slot < connections; slot++) this.#connect(slot);
  }

  turn(): void {
    this.#loop.turn(TURN_MS);
  }

  end(): void {
    this.#state = 'ended';
    this.#clients.closeAll();
  }

  #connect(slot: number): void {
    if (this.#state === 'ended') return;
    this.#sinceMs[slot] = performance.now();
    this.#clients.connect(slot);
  }
}
