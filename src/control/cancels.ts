/**
 * CancelRequests of Postgres clients. A cancel is a connection of its own, which names a process
 * and its secret but no server. So it goes to every backend of the pool that may have the session:
 * the others do not know the secret and do nothing. No table has to be kept, and it is right also
 * where the session came through another sluice.
 *
 * It is a matter of the main thread: no session, no choice of a policy, no place at a backend.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timer, Timers } from '../core/clock.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Dial } from '../core/wire.js';
import { dialBySocket } from '../health/probes/socket_wire.js';
import { mayHoldSessions } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { CancelOrder, CancelOutcome } from '../session/tcp/deps.js';
import type { DescriptorBudget } from './descriptor_budget.js';
import { FairLanes } from './fair_lanes.js';
import type { Inventory, PoolEntry } from './inventory.js';
import type { ToWorker } from './worker_protocol.js';

/** How long a backend may take to take it. */
const TAKE_MS = 2_000;
/**
 * How long an order may wait for its connections. After that and TAKE_MS the worker has closed the
 * client, who asks something else by then: it would be that which is cancelled.
 */
const WAIT_MS = 3_000;
/** Of the pool's backends, those with most sessions first. */
const MAX_TARGETS = 64;
/** Cancels that wait for connections; of one pool no more than others leave room for. */
const MAX_WAITING = 256;
/** Per client's address and listener, with as many at once. */
const A_SECOND = 20;
/** Addresses that are remembered; what is more may cancel, too. */
const MAX_CLIENTS = 10_000;

export interface CancelsDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly budget: Pick<DescriptorBudget, 'cancels'>;
  readonly send: (worker: WorkerId, message: ToWorker) => void;
}

/** A cancel until the last of its backends has taken it, or it has waited for too long. */
interface Open {
  readonly worker: WorkerId;
  readonly order: CancelOrder;
  readonly pool: string;
  readonly letters: Letter[];
  readonly timer: Timer;
  /** Letters that wait for a connection. */
  waiting: number;
  /** Letters that are not over. */
  left: number;
}

/** What one backend is told. */
interface Letter {
  readonly endpoint: Endpoint;
  readonly lane: number;
  readonly open: Open;
}

export class Cancels {
  readonly #deps: CancelsDeps;
  readonly #dial: Dial;
  /** By listener and address: when the last of its cancels would have come at its full rate. */
  readonly #paceMs = new Map<string, number>();
  readonly #lanes: FairLanes<Letter>;
  /** Orders that wait, by pool. */
  readonly #waiting = new Map<string, number>();

  constructor(deps: CancelsDeps, dial: Dial = dialBySocket) {
    this.#deps = deps;
    this.#dial = dial;
    const { cancels } = deps.budget;
    this.#lanes = new FairLanes(cancels, (letter, giveBack) => this.#post(letter, giveBack));
  }

  take(worker: WorkerId, order: CancelOrder): void {
    const pool = this.#poolOf(order);
    const name = pool?.key ?? '';
    const isTooMuch = this.#isTooFast(`${order.listener} ${order.client}`) || !this.#hasRoom(name);
    if (isTooMuch) return this.#done(worker, order, 'too many');
    const targets = pool === undefined ? [] : this.#targets(pool);
    if (targets.length === 0) return this.#done(worker, order, 'handed on');
    const open: Open = {
      worker,
      order,
      pool: name,
      letters: [],
      timer: this.#deps.timers.after(WAIT_MS, () => this.#tooLate(open)),
      waiting: targets.length,
      left: targets.length,
    };
    open.letters.push(...targets.map((target) => ({ ...target, open })));
    this.#countWaiting(name, 1);
    for (const letter of open.letters) this.#lanes.add(name, letter.lane, letter);
  }

  /** One pool's orders may be as many as there is room besides, so that others find some. */
  #hasRoom(pool: string): boolean {
    let free = MAX_WAITING;
    for (const count of this.#waiting.values()) free -= count;
    return (this.#waiting.get(pool) ?? 0) < free;
  }

  #countWaiting(pool: string, by: 1 | -1): void {
    const count = (this.#waiting.get(pool) ?? 0) + by;
    if (count === 0) this.#waiting.delete(pool);
    else this.#waiting.set(pool, count);
  }

  #post({ endpoint, open }: Letter, giveBack: () => void): void {
    open.waiting--;
    if (open.waiting === 0) this.#waitedEnough(open);
    this.#say(endpoint, open.order, () => {
      open.left--;
      if (open.left === 0) this.#done(open.worker, open.order, 'handed on');
      giveBack();
    });
  }

  #waitedEnough({ timer, pool }: Open): void {
    timer.cancel();
    this.#countWaiting(pool, -1);
  }

  /** Whoever has not been told is not told any more; the others are, and it is too many. */
  #tooLate(open: Open): void {
    this.#waitedEnough(open);
    for (const letter of open.letters) this.#lanes.drop(open.pool, letter.lane, letter);
    this.#done(open.worker, open.order, 'too many');
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

  #poolOf({ listener }: CancelOrder): PoolEntry | undefined {
    const { listeners, pools } = this.#deps.inventory;
    const entry = [...listeners.values()].find(({ id }) => id === listener);
    return entry === undefined ? undefined : pools.get(entry.spec.pool);
  }

  /** Where the session may be: sessions outlive an ejection, a drain and even a verdict. */
  #targets(pool: PoolEntry): readonly Omit<Letter, 'open'>[] {
    const { ledger } = this.#deps;
    return [...pool.backends.values()]
      .filter(({ id }) => mayHoldSessions(ledger, id))
      .map(({ id, endpoint }) => ({ endpoint, lane: id, active: ledger.active(id) }))
      .sort((a, b) => b.active - a.active)
      .slice(0, MAX_TARGETS)
      .map(({ endpoint, lane }) => ({ endpoint, lane }));
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
    const wire = this.#dial(endpoint, 'something', changed);
    const timer = this.#deps.timers.after(TAKE_MS, end);
  }
}
