/**
 * Many sessions that were used once and are idle now. Memory a session is the slope between few and
 * many of them, so that what the proxy needs anyway does not count. Before they count as idle the
 * proxy has time to settle: V8 cleans up for some twenty seconds after a process has begun.
 */
import type { Clients } from './clients.js';
import type { LoadLoop } from './loop.js';
import type { HeldMemory, Target, Work } from './protocol.js';
import { residentBytes } from './watch.js';
import type { Workload } from './workload.js';

const CONNECT_MS = 30_000;
/** Connects under way at a time, well within every backlog. */
const AT_A_TIME = 64;
const BYTES = 64;
const TURN_MS = 50;

export class Held implements Workload {
  count = 0;
  failures = 0;
  readonly latency = null;
  readonly #loop: LoadLoop;
  readonly #clients: Clients;
  readonly #target: Target;
  readonly #work: Work & { readonly kind: 'held' };
  readonly #pids: readonly number[];
  #begun = 0;
  #memory: HeldMemory = { fewBytes: 0, allBytes: 0 };

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    work: Work & { readonly kind: 'held' },
    pids: readonly number[],
  ) {
    this.#loop = loop;
    this.#clients = clients;
    this.#target = target;
    this.#work = work;
    this.#pids = pids;
  }

  get memory(): HeldMemory {
    return this.#memory;
  }

  begin(): void {
    this.#clients.prepare({
      ...this.#target,
      bytes: BYTES,
      events: {
        connected: (slot) => this.#clients.exchange(slot),
        replied: () => {
          this.count++;
        },
        failed: (_, step, answer) => {
          throw new Error(`${step} of a held session: ${answer}`);
        },
      },
    });
    this.#grow(this.#work.few);
    const fewBytes = residentBytes(this.#pids);
    this.#grow(this.#work.sessions);
    this.#memory = { fewBytes, allBytes: residentBytes(this.#pids) };
    const settledMs = performance.now() + this.#work.settleMs;
    while (performance.now() < settledMs) this.turn();
  }

  turn(): void {
    this.#loop.turn(TURN_MS);
  }

  end(): void {
    this.#clients.closeAll();
  }

  #grow(sessions: number): void {
    const more = (): boolean => {
      while (this.#begun < sessions && this.#begun - this.count < AT_A_TIME) {
        this.#clients.connect(this.#begun++);
      }
      return this.count === sessions;
    };
    this.#loop.until(`${sessions} held sessions`, more, CONNECT_MS);
  }
}
