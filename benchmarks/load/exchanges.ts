/** The closed loop: each connection has one exchange under way at any time. */
import type { Clients } from './clients.js';
import { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import type { Target, Work } from './protocol.js';
import type { Workload } from './workload.js';

const CONNECT_MS = 10_000;
/** A datagram without an answer for this long counts as lost, and is sent again. */
const LOST_MS = 100;
const TURN_MS = 20;

export class Exchanges implements Workload {
  count = 0;
  failures = 0;
  readonly latency = new Histogram();
  readonly #loop: LoadLoop;
  readonly #clients: Clients;
  readonly #target: Target;
  readonly #work: Work & { readonly kind: 'exchanges' };
  readonly #sentMs: Float64Array;
  #connected = 0;
  #lookAtMs = 0;

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    work: Work & { readonly kind: 'exchanges' },
  ) {
    this.#loop = loop;
    this.#clients = clients;
    this.#target = target;
    this.#work = work;
    this.#sentMs = new Float64Array(work.connections);
  }

  begin(): void {
    const { connections, bytes } = this.#work;
    this.#clients.prepare({ ...this.#target, bytes, events: this.#events() });
    for (let slot = 0; slot < connections; slot++) this.#clients.connect(slot);
    this.#loop.until('connections', () => this.#connected === connections, CONNECT_MS);
    for (let slot = 0; slot < connections; slot++) this.#exchange(slot);
  }

  turn(): void {
    this.#loop.turn(this.#work.waiting === 'polls' ? 0 : TURN_MS);
    if (this.#target.protocol === 'udp') this.#sendLostAgain();
  }

  end(): void {
    this.#clients.closeAll();
  }

  #events() {
    return {
      connected: () => {
        this.#connected++;
      },
      replied: (slot: number) => {
        this.count++;
        this.latency.record((performance.now() - (this.#sentMs[slot] ?? 0)) * 1e6);
        this.#exchange(slot);
      },
      failed: (_: number, step: string, answer: number) => {
        throw new Error(`${step} of a lasting connection: ${answer}`);
      },
    };
  }

  #exchange(slot: number): void {
    this.#sentMs[slot] = performance.now();
    this.#clients.exchange(slot);
  }

  #sendLostAgain(): void {
    const nowMs = performance.now();
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = nowMs + LOST_MS / 2;
    for (const [slot, sentMs] of this.#sentMs.entries()) {
      if (nowMs - sentMs < LOST_MS) continue;
      this.failures++;
      this.#sentMs[slot] = nowMs;
      this.#clients.send(slot);
    }
  }
}
