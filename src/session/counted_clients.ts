/** Which sessions or flows of a worker count for their client, by the numbers of their engine. */
import type { WorkerId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { Peer } from '../core/endpoint.js';
import type { ListenerPlan } from '../core/plan.js';
import { type ClientTable, NOT_COUNTED, TOO_MANY } from '../pool/client_table.js';
import { type Limiter, NO_ADDRESS } from './limiter.js';

export type LimitRefusal = 'too-many-sessions' | 'too-fast';

/** Where it is written down. */
export interface LimitBook {
  /** A rule that is only tried would have refused a client. */
  wouldRefuse(at: { readonly plan: ListenerPlan }, reason: LimitRefusal): void;
  /** The table was full: a client is served and not counted. */
  uncounted(at: { readonly plan: ListenerPlan }): void;
}

export interface CountedClientsDeps {
  readonly clients: ClientTable;
  readonly clock: Clock;
  readonly worker: WorkerId;
}

export class CountedClients {
  /** Whether any was counted since the start: where there are no limits, nothing is looked up. */
  any = false;
  /** By number: the row of the client, and 1; 0: it is not counted. */
  readonly #rows: Int32Array;
  readonly #deps: CountedClientsDeps;
  readonly #book: LimitBook;

  constructor(capacity: number, deps: CountedClientsDeps, book: LimitBook) {
    this.#rows = new Int32Array(capacity);
    this.#deps = deps;
    this.#book = book;
  }

  /** Why `client` is refused as `number`; null: it is not, and counts from now on. */
  refusal(
    limiter: Limiter,
    number: number,
    client: Peer,
    at: { readonly plan: ListenerPlan },
  ): LimitRefusal | null {
    const { clock, worker } = this.#deps;
    const answer = limiter.enter(client, clock.nowMs(), worker);
    if (answer >= 0) {
      this.#rows[number] = answer + 1;
      this.any = true;
      return null;
    }
    if (answer === NO_ADDRESS) return null;
    if (answer === NOT_COUNTED) {
      this.#book.uncounted(at);
      return null;
    }
    const reason = answer === TOO_MANY ? 'too-many-sessions' : 'too-fast';
    if (!limiter.spec.dryRun) return reason;
    this.#book.wouldRefuse(at, reason);
    return null;
  }

  /** `number`, which came at `cameMs`, is no session of `client`; it was counted or not. */
  isNone(limiter: Limiter | null, number: number, client: Peer, cameMs: number): void {
    const row = this.#rows[number] ?? 0;
    if (row === 0) return;
    limiter?.giveTurnBack(row - 1, client, cameMs, this.#deps.clock.nowMs());
    this.over(number);
  }

  /** `number` is over; it was counted or not. */
  over(number: number): void {
    const row = this.#rows[number] ?? 0;
    if (row === 0) return;
    this.#rows[number] = 0;
    this.#deps.clients.leave(row - 1, this.#deps.worker);
  }
}
