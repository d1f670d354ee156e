/** Short connections: connect, one exchange, reset, the next one. */
import { clientHello, extension } from '../../test/support/client_hello.js';
import type { Clients } from './clients.js';
import { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import type { Target, Work } from './protocol.js';
import type { Workload } from './workload.js';

const TURN_MS = 20;
/** RFC 7685: an extension that fills a hello up. */
const PADDING = 21;

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
    const { bytes, connections, serverName } = this.#work;
    const message = serverName === undefined ? {} : { message: helloOf(serverName, bytes) };
    this.#clients.prepare({
      ...this.#target,
      ...message,
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

/** As clients of today that are no browsers say it: one record, the name before all else. */
function helloOf(name: string, bytes: number): Uint8Array {
  const hello = (filler: number): Buffer =>
    clientHello({
      names: [Buffer.from(name)],
      behind: [extension(PADDING, Buffer.alloc(filler))],
    });
  return hello(bytes - hello(0).length);
}
