/** Connections that are refused: connect, await the end, the next one. */
import { ERRNO } from '../../src/kernel/errno.js';
import type { Clients } from './clients.js';
import { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import type { Target, Work } from './protocol.js';
import type { Workload } from './workload.js';

const TURN_MS = 20;
/** How a proxy may end one: in order, or by a reset, of which even the connect may hear. */
const ENDS: readonly number[] = [0, -ERRNO.ECONNRESET];

export class Refusals implements Workload {
  count = 0;
  failures = 0;
  /** From connect(2) to the end. */
  readonly latency = new Histogram();
  readonly #loop: LoadLoop;
  readonly #clients: Clients;
  readonly #target: Target;
  readonly #connections: number;
  readonly #sinceMs: Float64Array;
  #state: 'running' | 'ended' = 'running';

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    { connections }: Work & { readonly kind: 'refused' },
  ) {
    this.#loop = loop;
    this.#clients = clients;
    this.#target = target;
    this.#connections = connections;
    this.#sinceMs = new Float64Array(connections);
  }

  begin(): void {
    this.#clients.prepare({
      ...this.#target,
      bytes: 1,
      events: {
        connected: (slot) => this.#clients.receive(slot),
        replied: (slot) => {
          this.failures++;
          this.#clients.close(slot);
          this.#connect(slot);
        },
        failed: (slot, _, answer) => {
          if (ENDS.includes(answer)) {
            this.count++;
            this.latency.record((performance.now() - (this.#sinceMs[slot] ?? 0)) * 1e6);
          } else {
            this.failures++;
          }
          this.#connect(slot);
        },
      },
    });
    for (let slot = 0; slot < this.#connections; slot++) this.#connect(slot);
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
