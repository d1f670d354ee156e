/**
 * One TCP listener in one worker. At the listener's cap, which is exact over workers, accepting
 * pauses and clients wait in the kernel's backlog. What was accepted in the instant before is held,
 * unread and in order, until there is room.
 */

import { trusted } from '../../core/address_block.js';
import type { ListenerId, WorkerId } from '../../core/brand.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { Ledger } from '../../pool/ledger.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';
import type { Waiting } from './waiting.js';

export class TcpListener {
  readonly id: ListenerId;
  /** Engine keys of the sockets that are open. */
  readonly keys = new Set<ListenerKey>();
  readonly #held = new Set<TcpSession>();
  readonly #engine: TcpEngine;
  readonly #ledger: Ledger;
  readonly #worker: WorkerId;
  #accepting: 'yes' | 'paused' = 'yes';
  #plan: ListenerPlan;
  #waiting: Waiting;
  #trusted: (host: string) => boolean;

  constructor(
    plan: ListenerPlan,
    waiting: Waiting,
    deps: {
      readonly engine: TcpEngine;
      readonly ledger: Ledger;
      readonly worker: WorkerId;
    },
  ) {
    this.id = plan.id;
    this.#engine = deps.engine;
    this.#ledger = deps.ledger;
    this.#worker = deps.worker;
    this.#plan = plan;
    this.#waiting = waiting;
    this.#trusted = trusted(plan.trustedProxies ?? []);
  }

  get plan(): ListenerPlan {
    return this.#plan;
  }

  /** Where new sessions go. */
  get waiting(): Waiting {
    return this.#waiting;
  }

  update(plan: ListenerPlan, waiting: Waiting): void {
    this.#plan = plan;
    this.#waiting = waiting;
    this.#trusted = trusted(plan.trustedProxies ?? []);
  }

  /** True when `peer` may speak for others by a PROXY header. A UNIX peer is as local as sluice. */
  trusts(peer: Endpoint): boolean {
    return peer.kind === 'unix' || this.#trusted(peer.host);
  }

  leave(): void {
    this.#ledger.giveBackListener(this.id, this.#worker);
  }

  /** Begins the life of a session that was accepted, or holds it: who came before goes first. */
  receive(session: TcpSession, begin: (session: TcpSession) => void): void {
    if (this.#held.size === 0 && this.#tryEnter()) return begin(session);
    this.#held.add(session);
    // A place may have become free between the look and the mark.
    this.admit(begin);
  }

  /** A socket was opened; at the cap it accepts nobody either. */
  opened(key: ListenerKey): void {
    if (this.#accepting === 'paused') this.#engine.pauseListener(key);
  }

  /** The listener is gone: those who are held are held no longer. */
  dismiss(): readonly TcpSession[] {
    const held = [...this.#held];
    this.#held.clear();
    return held;
  }

  /** A held client went away. */
  forget(session: TcpSession): void {
    this.#held.delete(session);
  }

  /** There may be room: admits who is held, in order, and accepts again when nobody is. */
  admit(begin: (session: TcpSession) => void): void {
    if (this.#accepting === 'yes') return;
    for (const session of this.#held) {
      if (!this.#tryEnter()) return;
      this.#held.delete(session);
      begin(session);
    }
    if (this.#room() > 0) this.#resume();
  }

  #room(): number {
    return this.plan.maxSessions - this.#ledger.listenerActive(this.id);
  }

  /**
   * Counts a session, or answers false at the cap. The last free place pauses accepting at once.
   */
  #tryEnter(): boolean {
    const entered = this.#ledger.tryTakeListener(this.id, this.plan.maxSessions, this.#worker);
    if (!entered || this.#room() <= 0) this.#pause();
    return entered;
  }

  #pause(): void {
    this.#ledger.setListenerWaiting(this.id, this.#worker, 'waiting');
    if (this.#accepting === 'paused') return;
    this.#accepting = 'paused';
    for (const key of this.keys) this.#engine.pauseListener(key);
  }

  #resume(): void {
    this.#ledger.setListenerWaiting(this.id, this.#worker, 'accepting');
    this.#accepting = 'yes';
    for (const key of this.keys) this.#engine.resumeListener(key);
  }
}
