/**
 * From a request to a lease: at once where a backend is eligible; otherwise the request waits for a
 * place (the queue) or for the first verdict, by the same rules as a session of the daemon.
 */
import { unreachable } from '../core/assert.js';
import type { BackendId, WorkerId } from '../core/brand.js';
import type { Timer, Timers } from '../core/clock.js';
import type { Ledger } from '../pool/ledger.js';
import type { Pool } from '../pool/pool.js';
import type { Lease, Selection } from '../pool/selection.js';
import { WaitQueue } from '../pool/wait_queue.js';
import { onAbort } from './abort.js';
import type { NoBackendCode } from './errors.js';
import { ONLY_POOL } from './states.js';

/** The one thread of a balancer. */
export const WORKER = 0 as WorkerId;

/** A request that asks for a backend. */
export interface Asker {
  readonly clientKey: Uint8Array;
  /** null: none yet. */
  readonly tried: readonly BackendId[] | null;
  readonly signal: AbortSignal | undefined;
}

export interface WaitingDeps {
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly timers: Timers;
  /** Makes the error of `asker`, and counts it. */
  readonly refusal: (code: NoBackendCode, asker: Asker) => Error;
}

interface Waiter {
  readonly asker: Asker;
  /** Its place in the queue; 0: it waits for a verdict. */
  ticket: number;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
  timer: Timer;
}

/** `closed`: no backend is chosen any more. */
export type Choice = Selection | { readonly kind: 'closed' };

const LATE = { queue: 'queue-timeout', unproven: 'all-down' } as const;

export class Leasing {
  readonly #deps: WaitingDeps;
  readonly #queue: WaitQueue<Waiter>;
  readonly #unproven = new Set<Waiter>();
  #serving: 'no' | 'yes' = 'no';
  #state: 'open' | 'closed' = 'open';

  constructor(deps: WaitingDeps) {
    this.#deps = deps;
    this.#queue = new WaitQueue(deps.ledger, ONLY_POOL, WORKER, 1);
  }

  get queued(): number {
    return this.#queue.length;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#unproven.size === 0;
  }

  /** A lease, or the reason why there is none now; it does not wait. */
  choose({ clientKey, tried }: Asker): Choice {
    if (this.#state === 'closed') return CLOSED;
    if (this.#mustQueue(tried)) return FULL;
    return this.#deps.pool.select({ clientKey, tried });
  }

  /** A lease; a promise only where it has to wait. Throws a refusal. */
  take(asker: Asker): Lease | Promise<Lease> {
    const selection = this.choose(asker);
    switch (selection.kind) {
      case 'chosen':
        return selection.lease;
      case 'closed':
        throw this.#deps.refusal('closed', asker);
      case 'unproven':
        return this.#wait(asker, 'unproven');
      case 'none': {
        const { settings } = this.#deps.pool;
        if (selection.reason === 'all-full' && settings.queueSize > 0) {
          return this.#wait(asker, 'queue');
        }
        throw this.#deps.refusal(selection.reason, asker);
      }
      default:
        return unreachable(selection);
    }
  }

  /** A place is free, or states have changed: gives out what there is, oldest first. */
  serve(): void {
    // A waiter that is served may settle its lease at once.
    if (this.#serving === 'yes' || this.isEmpty) return;
    this.#serving = 'yes';
    try {
      for (const waiter of [...this.#unproven]) this.#retry(waiter);
      this.#serveQueue();
    } finally {
      this.#serving = 'no';
    }
  }

  /** Nothing waits any longer, and nothing is served. */
  close(): void {
    this.#state = 'closed';
    for (const waiter of [...this.#queue.waiters, ...this.#unproven]) {
      this.#reject(waiter, this.#deps.refusal('closed', waiter.asker));
    }
  }

  #mustQueue(tried: Asker['tried']): boolean {
    return this.#deps.pool.settings.queueSize > 0 && this.#queue.isAhead(tried);
  }

  #wait(asker: Asker, what: 'queue' | 'unproven'): Promise<Lease> {
    const { timers, refusal } = this.#deps;
    const { signal } = asker;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const leave = (): void => this.#reject(waiter, signal?.reason);
      const timer: Timer = { cancel: () => {} };
      let unheard = (): void => {};
      const waiter: Waiter = {
        asker,
        ticket: 0,
        timer,
        resolve: (lease) => {
          unheard();
          resolve(lease);
        },
        reject: (error) => {
          unheard();
          reject(error);
        },
      };
      if (!this.#place(waiter, what)) return reject(refusal('queue-full', asker));
      if (signal !== undefined) unheard = onAbort(signal, leave);
      const { settings } = this.#deps.pool;
      const limitMs = what === 'queue' ? settings.queueTimeoutMs : settings.connectTimeoutMs;
      waiter.timer = timers.after(limitMs, () => {
        this.#reject(waiter, refusal(waiter.ticket === 0 ? LATE.unproven : LATE.queue, asker));
      });
    });
  }

  #place(waiter: Waiter, what: 'queue' | 'unproven'): boolean {
    const { pool } = this.#deps;
    const { tried } = waiter.asker;
    if (what === 'unproven') {
      this.#unproven.add(waiter);
      return true;
    }
    waiter.ticket = this.#queue.join(waiter, pool.settings.queueSize, tried);
    if (waiter.ticket === 0) return false;
    // A waiter for which none of the free places is meant holds up no other.
    if (tried !== null && pool.hasPlace()) this.#queue.stepAside(waiter.ticket);
    return true;
  }

  #retry(waiter: Waiter): void {
    const { asker } = waiter;
    const selection = this.choose(asker);
    if (selection.kind === 'unproven' || selection.kind === 'closed') return;
    if (selection.kind === 'chosen') return this.#resolve(waiter, selection.lease);
    const waits = selection.reason === 'all-full' && this.#deps.pool.settings.queueSize > 0;
    this.#unproven.delete(waiter);
    if (!waits) return this.#reject(waiter, this.#deps.refusal(selection.reason, asker));
    if (!this.#place(waiter, 'queue')) {
      this.#reject(waiter, this.#deps.refusal('queue-full', asker));
    }
  }

  #serveQueue(): void {
    const { pool } = this.#deps;
    this.#queue.lineUp();
    for (;;) {
      const turn = this.#queue.turn();
      if (turn.kind !== 'mine') return;
      const { waiter } = turn;
      const { clientKey, tried } = waiter.asker;
      const selection = pool.select({ clientKey, tried });
      if (selection.kind === 'chosen') this.#resolve(waiter, selection.lease);
      else if (selection.kind === 'none' && selection.reason !== 'all-full' && tried !== null) {
        // Every backend that is full is one that it has tried in vain: no place is for it.
        this.#reject(waiter, this.#deps.refusal('dial-failed', waiter.asker));
      } else if (tried !== null && pool.hasPlace()) this.#queue.stepAside(waiter.ticket);
      else return this.#queue.lineUp();
    }
  }

  #resolve(waiter: Waiter, lease: Lease): void {
    this.#leave(waiter);
    waiter.resolve(lease);
  }

  #reject(waiter: Waiter, error: unknown): void {
    this.#leave(waiter);
    waiter.reject(error);
  }

  #leave(waiter: Waiter): void {
    waiter.timer.cancel();
    if (waiter.ticket !== 0) this.#queue.leave(waiter.ticket);
    waiter.ticket = 0;
    this.#unproven.delete(waiter);
  }
}

const FULL: Choice = { kind: 'none', reason: 'all-full' };
const CLOSED: Choice = { kind: 'closed' };
