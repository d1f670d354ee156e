/**
 * CancelRequests of Postgres clients. A cancel is a connection of its own, which names a process
 * and its secret but no server. So it goes to every backend of the pool that may have the session:
 * the others do not know the secret and do nothing. No table has to be kept, and it is right also
 * where the session came through another sluice.
 *
 * It is a matter of the main thread: no session, no choice of a policy, no place at a backend.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Endpoint } from '../core/endpoint.js';
import { dialBySocket } from '../health/probes/socket_wire.js';
import { mayHoldSessions } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { CancelOrder, CancelOutcome } from '../session/tcp/deps.js';
import type { Inventory } from './inventory.js';
import type { ToWorker } from './worker_protocol.js';

/** How long a backend may take to take it. */
const TAKE_MS = 2_000;
/** Connections at a time, over all cancels, from the reserve of descriptors. */
const MAX_WIRES = 64;
/** Of the pool's backends, those with most sessions first. */
const MAX_TARGETS = 64;
/** Cancels that wait for connections. */
const MAX_WAITING = 256;
/** Per client's address, with as many at once. */
const A_SECOND = 20;
/** Addresses that are remembered; what is more may cancel, too. */
const MAX_CLIENTS = 10_000;

export interface CancelsDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly send: (worker: WorkerId, message: ToWorker) => void;
}

interface Waiting {
  readonly worker: WorkerId;
  readonly order: CancelOrder;
}

export class Cancels {
  readonly #deps: CancelsDeps;
  readonly #waiting: Waiting[] = [];
  /** By address: when the last of its cancels would have come at the rate that it may have. */
  readonly #paceMs = new Map<string, number>();
  #wires = 0;

  constructor(deps: CancelsDeps) {
    this.#deps = deps;
  }

  take(worker: WorkerId, order: CancelOrder): void {
    const isTooMuch = this.#waiting.length >= MAX_WAITING || this.#isTooFast(order.client);
    if (isTooMuch) return this.#done(worker, order, 'too many');
    this.#waiting.push({ worker, order });
    this.#goOn();
  }

  #done(worker: WorkerId, { pair, number }: CancelOrder, outcome: CancelOutcome): void {
    this.#deps.send(worker, { kind: 'cancelled', pair, number, outcome });
  }

  /** GCRA: a cancel is on time when the ones before it leave it a place within the second. */
  #isTooFast(client: string): boolean {
    const now = this.#deps.clock.nowMs();
    const due = Math.max(now, this.#paceMs.get(client) ?? 0) + 1_000 / A_SECOND;
    if (due > now + 1_000) return true;
    if (this.#paceMs.size >= MAX_CLIENTS) this.#forgetPast(now);
    if (this.#paceMs.size < MAX_CLIENTS) this.#paceMs.set(client, due);
    return false;
  }

  #forgetPast(now: number): void {
    for (const [client, due] of this.#paceMs) if (due <= now) this.#paceMs.delete(client);
  }

  #goOn(): void {
    while (this.#wires < MAX_WIRES) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#handOn(next);
    }
  }

  #handOn({ worker, order }: Waiting): void {
    let left = 1;
    const over = (): void => {
      left--;
      if (left === 0) this.#done(worker, order, 'handed on');
    };
    for (const endpoint of this.#targets(order)) {
      left++;
      this.#wires++;
      this.#say(endpoint, order, () => {
        this.#wires--;
        over();
        this.#goOn();
      });
    }
    over();
  }

  /** Where the session may be: sessions outlive an ejection, a drain and even a verdict. */
  #targets({ listener }: CancelOrder): readonly Endpoint[] {
    const { inventory, ledger } = this.#deps;
    const entry = [...inventory.listeners.values()].find(({ id }) => id === listener);
    const pool = entry === undefined ? undefined : inventory.pools.get(entry.spec.pool);
    return [...(pool?.backends.values() ?? [])]
      .filter(({ id }) => mayHoldSessions(ledger, id))
      .map(({ id, endpoint }) => ({ endpoint, active: ledger.active(id) }))
      .sort((a, b) => b.active - a.active)
      .slice(0, MAX_TARGETS)
      .map(({ endpoint }) => endpoint);
  }

  /**
   * Connects, says it, and waits until the server has closed: then the signal is sent. It is over
   * when the descriptor is free.
   */
  #say(endpoint: Endpoint, { prelude, request }: CancelOrder, over: () => void): void {
    let state: 'connecting' | 'said' | 'closing' | 'over' = 'connecting';
    const end = (): void => {
      state = 'closing';
      timer.cancel();
      wire.destroy();
    };
    const changed = (): void => {
      if (state === 'closing' && wire.closed) {
        state = 'over';
        return over();
      }
      if (state === 'closing' || state === 'over') return;
      if (wire.connected && state === 'connecting') {
        state = 'said';
        if (prelude !== null) wire.write(prelude);
        wire.write(request);
      }
      while (state === 'said' && wire.read() !== null);
      if (wire.error !== null || wire.ended || wire.closed) end();
    };
    const wire = dialBySocket(endpoint, 'something', changed);
    const timer = this.#deps.timers.after(TAKE_MS, end);
  }
}
