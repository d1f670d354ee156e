/** Connections that live for a moment: as soon as one is over, its slot has the next. */
import type { ClientSetup, Clients } from './clients.js';
import { Histogram } from './histogram.js';
import type { LoadLoop } from './loop.js';
import type { Workload } from './workload.js';

const TURN_MS = 20;

export abstract class OneAfterAnother implements Workload {
  count = 0;
  failures = 0;
  /** From connect(2) to what the connection was made for. */
  readonly latency = new Histogram();
  protected readonly clients: Clients;
  readonly #loop: LoadLoop;
  readonly #sinceMs: Float64Array;
  #state: 'running' | 'ended' = 'running';

  constructor(loop: LoadLoop, clients: Clients, connections: number) {
    this.#loop = loop;
    this.clients = clients;
    this.#sinceMs = new Float64Array(connections);
  }

  begin(): void {
    this.clients.prepare(this.setup());
    for (let slot = 0; slot < this.#sinceMs.length; slot++) this.next(slot);
  }

  turn(): void {
    this.#loop.turn(TURN_MS);
  }

  end(): void {
    this.#state = 'ended';
    this.clients.closeAll();
  }

  /** What each connection says, and what follows from the answer. */
  protected abstract setup(): ClientSetup;

  /** The connection of `slot` has had what it was made for. */
  protected succeeded(slot: number): void {
    this.count++;
    this.latency.record((performance.now() - (this.#sinceMs[slot] ?? 0)) * 1e6);
  }

  protected next(slot: number): void {
    if (this.#state === 'ended') return;
    this.#sinceMs[slot] = performance.now();
    this.clients.connect(slot);
  }
}
