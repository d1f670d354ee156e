/** Bulk transfer over a few connections; what arrives at either end counts. */
import type { Clients } from './clients.js';
import type { LoadLoop } from './loop.js';
import type { Target, Work } from './protocol.js';
import type { Streams } from './streams.js';
import type { Workload } from './workload.js';

const CONNECT_MS = 10_000;
const TURN_MS = 20;

export class Bulk implements Workload {
  failures = 0;
  readonly latency = null;
  readonly #loop: LoadLoop;
  readonly #clients: Clients;
  readonly #streams: Streams;
  readonly #target: Target;
  readonly #work: Work & { readonly kind: 'bulk' };

  /** `streams`: those of both ends. */
  constructor(
    loop: LoadLoop,
    clients: Clients,
    streams: Streams,
    target: Target,
    work: Work & { readonly kind: 'bulk' },
  ) {
    this.#loop = loop;
    this.#clients = clients;
    this.#streams = streams;
    this.#target = target;
    this.#work = work;
  }

  /** Bytes. */
  get count(): number {
    return this.#streams.received;
  }

  begin(): void {
    const { connections, direction } = this.#work;
    let connected = 0;
    this.#clients.prepare({
      ...this.#target,
      bytes: 0,
      events: {
        connected: (slot) => {
          connected++;
          const fd = this.#clients.release(slot);
          this.#streams.adopt(fd, direction === 'down' ? 'listens' : 'sends');
        },
        replied: () => {},
        failed: (_, step, answer) => {
          throw new Error(`${step} of a bulk connection: ${answer}`);
        },
      },
    });
    for (let slot = 0; slot < connections; slot++) this.#clients.connect(slot);
    this.#loop.until('connections', () => connected === connections, CONNECT_MS);
  }

  turn(): void {
    this.#loop.turn(TURN_MS);
  }

  end(): void {
    this.#streams.end();
  }
}
