/**
 * From "needs a backend" to a dial: asks the pool, queues when every backend is full, waits when no
 * backend has had a verdict yet, and serves those that wait, in order, when a place becomes free.
 */

import { KeyRoom, NO_KEY } from '../../core/address_key.js';
import { unreachable } from '../../core/assert.js';
import type { PoolId, WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Cause, Stage } from '../../core/outcome.js';
import type { Lease, Selection } from '../../pool/selection.js';
import type { TcpEngine } from '../tcp_port.js';
import type { SessionBook } from './book.js';
import type { SessionPhase, TcpSession } from './session.js';
import { WaitingPools, type WaitingSessions } from './waiting.js';

export interface ChoosingDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly book: SessionBook;
  readonly ring: (worker: WorkerId) => void;
  readonly dial: (session: TcpSession, lease: Lease) => void;
  readonly refuse: (session: TcpSession, stage: Stage, cause: Cause) => void;
  /** Does `work`; what breaks in it ends the session and no other. */
  readonly alone: (session: TcpSession, work: (session: TcpSession) => void) => void;
  readonly deadline: (session: TcpSession, atMs: number) => void;
}

type Queued = Extract<SessionPhase, { at: 'queued' }>;

export class Choosing {
  readonly #deps: ChoosingDeps;
  readonly #room = new KeyRoom();
  readonly #pools = new WaitingPools();
  /** Pools in which a place became free since waiters were served last; no Set: see ADR 5. */
  #freed: readonly PoolId[] = [];

  constructor(deps: ChoosingDeps) {
    this.#deps = deps;
  }

  addPool(id: PoolId, waiting: WaitingSessions): void {
    this.#pools.add(id, waiting);
  }

  /** The pool is gone; a session that waits for one of its backends would wait in vain. */
  removePool(id: PoolId): void {
    const waiting = this.#pools.find(id);
    if (waiting === undefined) return;
    this.#pools.remove(waiting);
    for (const session of waiting.queue.waiters) {
      this.#deps.alone(session, () => this.#deps.refuse(session, 'queue', 'no-backend'));
    }
    for (const session of waiting.unproven) {
      this.#deps.alone(session, () => this.#deps.refuse(session, 'select', 'no-backend'));
    }
  }

  /** Finds a backend for a session that holds none, or makes it wait, or refuses it. */
  choose(session: TcpSession): void {
    const waiting = session.leadsTo(this.#deps.engine);
    session.way = waiting;
    if (session.face.ways.areMany) this.#deps.book.routed(session);
    if (waiting === null) return this.#deps.refuse(session, 'select', 'no-route');
    if (waiting.state === 'removed') return this.#deps.refuse(session, 'select', 'no-backend');
    if (session.waiting.mustWait(session.triedIds)) return this.#enqueue(session);
    this.#proceed(session, this.#select(session));
  }

  /**
   * After a reload: a session that waits at a pool to which its listener leads no longer chooses
   * again where it leads now, and limits of time are those of the newest plan. What was waited
   * counts.
   */
  followListeners(): void {
    for (const waiting of this.#pools.waited()) {
      waiting.followHold(this.#deps.clock.nowMs());
      for (const session of [...waiting.queue.waiters, ...waiting.unproven]) {
        this.#deps.alone(session, () => this.#follow(session, waiting));
      }
    }
  }

  #follow(session: TcpSession, waiting: WaitingSessions): void {
    const moves = session.leadsTo(this.#deps.engine) !== waiting;
    const { phase } = session;
    if (phase.at === 'queued') {
      if (moves) this.#chooseElsewhere(session, phase);
      else this.#armQueued(session);
    } else if (moves) {
      this.forget(session);
      session.phase = { at: 'choosing' };
      this.choose(session);
    }
  }

  #chooseElsewhere(session: TcpSession, { sinceMs, countsFromMs }: Queued): void {
    this.forget(session);
    session.phase = { at: 'choosing' };
    session.queueMs = this.#deps.clock.nowMs() - sinceMs;
    this.choose(session);
    const phase = phaseOf(session);
    if (phase.at === 'queued') {
      session.phase = { ...phase, sinceMs, countsFromMs };
      this.#armQueued(session);
    } else if (phase.at === 'dialling') {
      this.#deps.book.observe(session, 'queue', session.queueMs);
    }
  }

  #armQueued(session: TcpSession): void {
    const { phase, waiting } = session;
    if (phase.at !== 'queued') return;
    const untilMs = phase.countsFromMs + waiting.pool.settings.queueTimeoutMs;
    this.#deps.deadline(session, waiting.isHeld ? Number.POSITIVE_INFINITY : untilMs);
  }

  /** A place of `pool` is free; waiters are served by `serveFreed`, outside of the present edge. */
  freed(pool: PoolId): void {
    if (!this.#freed.includes(pool)) this.#freed = [...this.#freed, pool];
  }

  serveFreed(): void {
    const pools = this.#freed;
    if (pools.length === 0) return;
    this.#freed = [];
    for (const id of pools) {
      const waiting = this.#pools.find(id);
      if (waiting === undefined) continue;
      this.#serve(waiting);
      // No turn comes for sessions that stand aside elsewhere: the place may be one for it.
      waiting.queue.wakeAside(this.#deps.ring);
    }
  }

  /** States may have changed anywhere: every session that waits in this worker is looked at. */
  retryAll(): void {
    for (const waiting of this.#pools.waited()) {
      this.#retryUnproven(waiting);
      this.#serve(waiting);
    }
  }

  /** The session waits no longer, for whatever reason. */
  forget(session: TcpSession): void {
    const { phase } = session;
    if (phase.at === 'queued') {
      session.waiting.queue.leave(phase.ticket);
      // The next one may be another worker's: it learns of its turn by the next free place.
      this.freed(session.waiting.pool.id);
    } else if (phase.at === 'unproven') {
      session.waiting.unproven.delete(session);
    }
  }

  #select(session: TcpSession): Selection {
    const { pool } = session.waiting;
    const clientKey = pool.needsClientKey
      ? this.#room.keyOf(session.client(this.#deps.engine.client(session.pair)))
      : NO_KEY;
    return pool.select({ clientKey, tried: session.triedIds });
  }

  #proceed(session: TcpSession, selection: Selection): void {
    switch (selection.kind) {
      case 'chosen':
        return this.#deps.dial(session, selection.lease);
      case 'unproven':
        return this.#awaitVerdict(session);
      case 'none':
        if (selection.reason === 'all-full' && session.waiting.pool.settings.queueSize > 0) {
          this.#enqueue(session);
          session.waiting.letPass(session);
          return;
        }
        return session.tried === null
          ? this.#deps.refuse(session, 'select', selection.reason)
          : this.#deps.refuse(session, 'dial', 'dial-failed');
      default:
        return unreachable(selection);
    }
  }

  #awaitVerdict(session: TcpSession): void {
    const { waiting } = session;
    if (session.phase.at !== 'unproven' || !waiting.unproven.has(session)) {
      session.phase = { at: 'unproven' };
      waiting.unproven.add(session);
      this.#pools.note(waiting);
      const now = this.#deps.clock.nowMs();
      this.#deps.deadline(session, now + waiting.pool.settings.connectTimeoutMs);
    }
  }

  #enqueue(session: TcpSession): void {
    const { waiting } = session;
    const ticket = waiting.queue.join(session, waiting.size, session.triedIds);
    if (ticket === 0) return this.#deps.refuse(session, 'queue', 'queue-full');
    waiting.joined();
    this.#pools.note(waiting);
    const now = this.#deps.clock.nowMs();
    session.phase = { at: 'queued', ticket, sinceMs: now, countsFromMs: now };
    this.#armQueued(session);
    // A place may have become free between the look and the ticket.
    this.freed(waiting.pool.id);
  }

  #retryUnproven(waiting: WaitingSessions): void {
    for (const session of [...waiting.unproven]) {
      let answer: 'moved' | 'unproven' = 'moved';
      this.#deps.alone(session, () => {
        answer = this.#retry(session);
      });
      // A session that has tried nothing yet speaks for all.
      if ((answer as string) === 'unproven' && session.tried === null) return;
    }
  }

  #retry(session: TcpSession): 'moved' | 'unproven' {
    const { waiting } = session;
    if (session.waiting.mustWait(session.triedIds)) {
      waiting.unproven.delete(session);
      this.#enqueue(session);
      return 'moved';
    }
    const selection = this.#select(session);
    if (selection.kind === 'unproven') return 'unproven';
    waiting.unproven.delete(session);
    this.#proceed(session, selection);
    return 'moved';
  }

  /**
   * Gives free places to waiters for as long as it is this worker's turn; then wakes whose turn it
   * is. None waits behind one for which none of the free places is.
   */
  #serve(waiting: WaitingSessions): void {
    if (waiting.isHeld) return;
    const { queue } = waiting;
    queue.lineUp();
    if (waiting.held === 'just released') this.#serveOwn(waiting);
    for (;;) {
      const turn = queue.turn();
      if (turn.kind === 'none') return;
      if (turn.kind === 'other') return this.#deps.ring(turn.worker);
      const session = turn.waiter;
      let result: 'moved' | 'waits' = 'moved';
      this.#deps.alone(session, () => {
        result = this.#serveFirst(session);
      });
      if ((result as string) === 'moved') continue;
      if (waiting.letPass(session)) continue;
      // None can be served: each waits in the order in which it came.
      queue.lineUp();
      return queue.wakeAside(this.#deps.ring);
    }
  }

  /**
   * After a hold there may be a thousand that wait and a place for each. In the order over all
   * workers a message between workers would go before each; so each worker serves its own first.
   */
  #serveOwn(waiting: WaitingSessions): void {
    waiting.held = 'no';
    for (const session of waiting.queue.waiters) {
      let result: 'moved' | 'waits' = 'waits';
      this.#deps.alone(session, () => {
        result = this.#serveFirst(session);
      });
      if ((result as string) === 'waits') return;
    }
  }

  #serveFirst(session: TcpSession): 'moved' | 'waits' {
    const { phase } = session;
    if (phase.at !== 'queued') return 'waits';
    const selection = this.#select(session);
    if (selection.kind === 'none' && selection.reason !== 'all-full' && session.tried !== null) {
      // Every backend that is full is one that it has tried in vain: no place is for it.
      this.#deps.refuse(session, 'dial', 'dial-failed');
      return 'moved';
    }
    if (selection.kind !== 'chosen') return 'waits';
    const now = this.#deps.clock.nowMs();
    // The lease is the session's from here on, whatever breaks.
    session.phase = { at: 'dialling', lease: selection.lease, sinceMs: now };
    session.waiting.queue.leave(phase.ticket);
    session.queueMs = now - phase.sinceMs;
    this.#deps.book.observe(session, 'queue', session.queueMs);
    this.#deps.dial(session, selection.lease);
    return 'moved';
  }
}

// Read anew: a choice has changed it.
function phaseOf(session: TcpSession): SessionPhase {
  return session.phase;
}
