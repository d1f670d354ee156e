/**
 * The open loop: exchanges begin by a schedule (a Poisson process), not when others are done, and a
 * latency counts from the scheduled time. So an exchange that had to wait for a slow one is slow,
 * too; a closed loop would leave it out ("coordinated omission").
 */
import { seededRandom } from '../../src/core/random.js';
import type { Clients } from './clients.js';
import { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import type { Target, Work } from './protocol.js';
import type { Workload } from './workload.js';

const CONNECT_MS = 10_000;
/** More exchanges than this behind the schedule: the proxy cannot carry the load at all. */
const MAX_BEHIND = 1 << 16;

export class OfferedLoad implements Workload {
  count = 0;
  failures = 0;
  readonly latency = new Histogram();
  readonly #loop: LoadLoop;
  readonly #clients: Clients;
  readonly #target: Target;
  readonly #work: Work & { readonly kind: 'offered' };
  readonly #random;
  /** When the exchange under way at a slot was due. */
  readonly #dueMs: Float64Array;
  readonly #idle: number[] = [];
  /** Due times without a connection so far: a ring of MAX_BEHIND. */
  readonly #waiting = new Float64Array(MAX_BEHIND);
  #firstWaiting = 0;
  #waitingCount = 0;
  #nextMs = 0;

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    work: Work & { readonly kind: 'offered' },
  ) {
    this.#loop = loop;
    this.#clients = clients;
    this.#target = target;
    this.#work = work;
    this.#random = seededRandom(work.seed);
    this.#dueMs = new Float64Array(work.connections);
  }

  begin(): void {
    const { bytes, connections } = this.#work;
    this.#clients.prepare({
      ...this.#target,
      bytes,
      events: {
        connected: (slot) => {
          this.#idle.push(slot);
        },
        replied: (slot) => this.#replied(slot),
        failed: (_, step, answer) => {
          throw new Error(`${step} of a lasting connection: ${answer}`);
        },
      },
    });
    for (let slot = 0; slot < connections; slot++) this.#clients.connect(slot);
    this.#loop.until('connections', () => this.#idle.length === connections, CONNECT_MS);
    this.#nextMs = performance.now();
  }

  /** Never sleeps: a timer's delay would count as latency. */
  turn(): void {
    const nowMs = performance.now();
    while (this.#nextMs <= nowMs) {
      this.#due(this.#nextMs);
      this.#nextMs -= (Math.log(1 - this.#random.next()) * 1000) / this.#work.perSecond;
    }
    this.#loop.turn(0);
  }

  end(): void {
    this.#clients.closeAll();
  }

  #due(dueMs: number): void {
    const slot = this.#idle.pop();
    if (slot !== undefined) {
      this.#exchange(slot, dueMs);
      return;
    }
    if (this.#waitingCount === MAX_BEHIND) {
      this.failures++;
      return;
    }
    this.#waiting[(this.#firstWaiting + this.#waitingCount++) % MAX_BEHIND] = dueMs;
  }

  #replied(slot: number): void {
    this.count++;
    this.latency.record((performance.now() - (this.#dueMs[slot] ?? 0)) * 1e6);
    if (this.#waitingCount === 0) {
      this.#idle.push(slot);
      return;
    }
    const dueMs = this.#waiting[this.#firstWaiting] ?? 0;
    this.#firstWaiting = (this.#firstWaiting + 1) % MAX_BEHIND;
    this.#waitingCount--;
    this.#exchange(slot, dueMs);
  }

  #exchange(slot: number, dueMs: number): void {
    this.#dueMs[slot] = dueMs;
    this.#clients.exchange(slot);
  }
}
