/**
 * CancelRequests of Postgres clients. A cancel is a connection of its own, which names a process
 * and its secret but no server. It goes to the backend that was seen to give out this key
 * (pool/key_table.ts). Where the key was not seen, as behind TLS or where the session came through
 * another sluice, it goes to every backend of every pool that its listener leads to and that may
 * have the session: the others do not know the secret and do nothing.
 *
 * It is a matter of the main thread: no session, no choice of a policy, no place at a backend.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timer, Timers } from '../core/clock.js';
import type { Endpoint } from '../core/endpoint.js';
import { poolsOf } from '../core/routes.js';
import type { WireDial } from '../core/wire.js';
import { dialBySocket } from '../health/probes/socket_wire.js';
import { mayHoldSessions } from '../pool/eligibility.js';
import type { KeyTable } from '../pool/key_table.js';
import type { Ledger } from '../pool/ledger.js';
import { encodeAs } from '../session/proxy_protocol/encode_as.js';
import type { CancelOrder, CancelOutcome } from '../session/tcp/deps.js';
import { CancelPace } from './cancel_pace.js';
import type { DescriptorBudget } from './descriptor_budget.js';
import { FairLanes } from './fair_lanes.js';
import type { BackendEntry, Inventory, PoolEntry } from './inventory.js';
import type { SourceWatch } from './source_watch.js';
import type { ToWorker } from './worker_protocol.js';

/** How long a backend may take to take it. */
const TAKE_MS = 2_000;
/**
 * How long an order may wait for its connections. After that and TAKE_MS the worker has closed the
 * client, which may run another query by then: that one would be cancelled.
 */
const WAIT_MS = 3_000;
/** Of all backends, those with most sessions first. */
const MAX_TARGETS = 64;
/** Cancels that wait for connections; of one pool no more than others leave room for. */
const MAX_WAITING = 256;

export interface CancelsDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly keys: KeyTable;
  readonly budget: Pick<DescriptorBudget, 'cancels'>;
  readonly sourceFor: SourceWatch['sourceFor'];
  readonly send: (worker: WorkerId, message: ToWorker) => void;
}

/** Of the request: length and code; then comes the key. */
const HEAD_BYTES = 8;

const NOWHERE = { pool: null, routes: [] } as const;

/** A cancel until the last of its backends has taken it, or it has waited for too long. */
interface Open {
  readonly worker: WorkerId;
  readonly order: CancelOrder;
  /** Pools whose backends get it. */
  readonly pools: readonly string[];
  readonly letters: Letter[];
  readonly timer: Timer;
  /** Letters that wait for a connection. */
  waiting: number;
  /** Letters that are not over. */
  left: number;
}

/** What one backend is sent. */
interface Letter {
  readonly endpoint: Endpoint;
  readonly pool: PoolEntry;
  readonly lane: number;
  readonly open: Open;
}

export class Cancels {
  readonly #deps: CancelsDeps;
  readonly #dial: WireDial;
  readonly #pace: CancelPace;
  readonly #lanes: FairLanes<Letter>;
  /** Orders that wait, by pool. */
  readonly #waiting = new Map<string, number>();

  constructor(deps: CancelsDeps, dial: WireDial = dialBySocket) {
    this.#deps = deps;
    this.#dial = dial;
    this.#pace = new CancelPace(deps.clock);
    const { cancels } = deps.budget;
    this.#lanes = new FairLanes(cancels, (letter, giveBack) => this.#post(letter, giveBack));
  }

  take(worker: WorkerId, order: CancelOrder): void {
    const isTooFast = this.#pace.isTooFast(order.listener, order.client);
    const targets = isTooFast ? [] : this.#targets(order);
    const pools = [...new Set(targets.map(({ pool }) => pool.key))];
    if (isTooFast || !pools.every((pool) => this.#hasRoom(pool))) {
      return this.#done(worker, order, 'too many');
    }
    if (targets.length === 0) return this.#done(worker, order, 'handed on');
    const open: Open = {
      worker,
      order,
      pools,
      letters: [],
      timer: this.#deps.timers.after(WAIT_MS, () => this.#tooLate(open)),
      waiting: targets.length,
      left: targets.length,
    };
    open.letters.push(...targets.map((target) => ({ ...target, open })));
    for (const pool of pools) this.#countWaiting(pool, 1);
    for (const letter of open.letters) this.#lanes.add(letter.pool.key, letter.lane, letter);
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

  #post(letter: Letter, giveBack: () => void): void {
    const { open } = letter;
    open.waiting--;
    if (open.waiting === 0) this.#waitedEnough(open);
    this.#say(letter, () => {
      open.left--;
      if (open.left === 0) this.#done(open.worker, open.order, 'handed on');
      giveBack();
    });
  }

  #waitedEnough({ timer, pools }: Open): void {
    timer.cancel();
    for (const pool of pools) this.#countWaiting(pool, -1);
  }

  /**
   * Backends that have not got it yet do not get it any more; the others do, and it is counted as
   * too many.
   */
  #tooLate(open: Open): void {
    this.#waitedEnough(open);
    for (const letter of open.letters) this.#lanes.drop(letter.pool.key, letter.lane, letter);
    this.#done(open.worker, open.order, 'too many');
  }

  #done(worker: WorkerId, { pair, number }: CancelOrder, outcome: CancelOutcome): void {
    this.#deps.send(worker, { kind: 'cancelled', pair, number, outcome });
  }

  #poolsOf({ listener }: CancelOrder): readonly PoolEntry[] {
    const { listeners, pools } = this.#deps.inventory;
    const entry = [...listeners.values()].find(({ id }) => id === listener);
    return poolsOf(entry?.spec ?? NOWHERE).flatMap((name) => pools.get(name) ?? []);
  }

  #targets(order: CancelOrder): readonly Omit<Letter, 'open'>[] {
    const named = this.#named(order);
    const entries = named.length > 0 ? named : this.#possible(this.#poolsOf(order));
    return entries.map(({ endpoint, pool, id }) => ({ endpoint, pool, lane: id }));
  }

  /** The backend that has given out the key, whatever has become of it since. */
  #named({ listener, request }: CancelOrder): readonly BackendEntry[] {
    const ids = this.#deps.keys.find(listener, request.subarray(HEAD_BYTES));
    if (ids.length === 0) return [];
    return [...this.#deps.inventory.backends()].filter(({ id }) => ids.includes(id));
  }

  /** Where the session may be: sessions outlive an ejection, a drain and even a verdict. */
  #possible(pools: readonly PoolEntry[]): readonly BackendEntry[] {
    const { ledger } = this.#deps;
    return pools
      .flatMap((pool) => [...pool.backends.values()])
      .filter(({ id }) => mayHoldSessions(ledger, id))
      .map((entry) => ({ entry, active: ledger.active(entry.id) }))
      .sort((a, b) => b.active - a.active)
      .slice(0, MAX_TARGETS)
      .map(({ entry }) => entry);
  }

  /**
   * Connects, says it, and waits until the server has closed: then the signal is sent. It is over
   * when the descriptor is free.
   */
  #say({ endpoint, pool, open }: Letter, over: () => void): void {
    const { header, request } = open.order;
    const prelude = encodeAs(pool.spec.settings.sendProxyProtocol, header);
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
    const wire = this.#dial(endpoint, 'something', changed, this.#deps.sourceFor(pool, endpoint));
    const timer = this.#deps.timers.after(TAKE_MS, end);
  }
}
