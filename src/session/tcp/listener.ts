/**
 * One TCP listener in one worker. At the listener's cap, and where all listeners together have the
 * descriptors that sessions may have, accepting pauses and clients wait in the kernel's backlog.
 * Both are exact over workers. What was accepted in the instant before waits to enter, unread and
 * in order, until there is room.
 */

import { inBlocks } from '../../core/address_block.js';
import type { ListenerId, SeriesId, WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import { doEach } from '../../core/do_each.js';
import type { Peer } from '../../core/endpoint.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { ClientTable } from '../../pool/client_table.js';
import { DESCRIPTORS_PER_SESSION } from '../../pool/descriptor_ledger.js';
import type { Ledger } from '../../pool/ledger.js';
import { Admission } from '../admission.js';
import { BeginRate } from '../begin_rate.js';
import type { EarlyStage } from '../early/stage.js';
import { stagesOf } from '../early/stages_of.js';
import { Limiter } from '../limiter.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';
import type { WaitingSessions } from './waiting.js';
import type { Ways } from './ways.js';

/** What a plan says of the clients of a listener. */
export class TcpFace {
  readonly plan: ListenerPlan;
  /** Where new sessions go. */
  readonly ways: Ways;
  /** What looks at the first bytes of its clients, in order. */
  readonly stages: readonly EarlyStage[];
  /** Which clients may connect; null: all. */
  readonly admission: Admission | null;
  /** What each of them may have; null: what it likes. */
  readonly limiter: Limiter | null;
  readonly #isTrusted: (peer: Peer) => boolean;

  constructor(plan: ListenerPlan, ways: Ways, clients: ClientTable) {
    this.plan = plan;
    this.ways = ways;
    this.stages = stagesOf(plan.settings, ways.directions.routes);
    this.admission = Admission.of(plan);
    this.limiter = Limiter.of(plan, clients);
    this.#isTrusted = inBlocks(plan.settings.trustedProxies ?? []);
  }

  /** True when `peer` may speak for others by a PROXY header. A UNIX peer is as local as sluice. */
  trusts(peer: Peer): boolean {
    return peer.kind === 'unix' || this.#isTrusted(peer);
  }
}

export class TcpListener {
  readonly id: ListenerId;
  /** Engine keys of the sockets that are open. */
  readonly keys = new Set<ListenerKey>();
  /** By open sockets that are not as the newest plan says. */
  readonly #former = new Map<ListenerKey, TcpFace>();
  readonly #entering = new Set<TcpSession>();
  readonly #engine: TcpEngine;
  readonly #ledger: Ledger;
  readonly #clients: ClientTable;
  readonly #clock: Clock;
  readonly #worker: WorkerId;
  readonly #missed: () => void;
  readonly #early: (dueMs: number) => void;
  readonly #paused: (listener: TcpListener) => void;
  readonly #atLeave: readonly ((ledger: Ledger) => void)[] = [
    (ledger) => ledger.giveBackListener(this.id, this.#worker),
    (ledger) => ledger.descriptors.giveBack(DESCRIPTORS_PER_SESSION, this.#worker),
  ];
  #accepting: 'yes' | 'paused' = 'yes';
  #face: TcpFace;
  #rate: BeginRate | null;
  /** When it is to be looked at again, because the next session would be too early. */
  dueMs = Number.POSITIVE_INFINITY;

  constructor(
    plan: ListenerPlan,
    ways: Ways,
    deps: {
      readonly engine: TcpEngine;
      readonly ledger: Ledger;
      readonly clients: ClientTable;
      readonly clock: Clock;
      readonly worker: WorkerId;
      /** What was taken was given back in the same instant: others may have seen none. */
      readonly missed: () => void;
      /** It has to be looked at again then. */
      readonly early: (dueMs: number) => void;
      /** It stopped accepting: it has to be looked at whenever there may be room. */
      readonly paused: (listener: TcpListener) => void;
    },
  ) {
    this.id = plan.id;
    this.#engine = deps.engine;
    this.#ledger = deps.ledger;
    this.#worker = deps.worker;
    this.#clients = deps.clients;
    this.#clock = deps.clock;
    this.#missed = deps.missed;
    this.#early = deps.early;
    this.#paused = deps.paused;
    this.#face = new TcpFace(plan, ways, deps.clients);
    this.#rate = BeginRate.of(plan, deps.clients);
  }

  get plan(): ListenerPlan {
    return this.#face.plan;
  }

  /** Where it is, nothing waits to enter. */
  get isAccepting(): boolean {
    return this.#accepting === 'yes';
  }

  /**
   * What clients of the socket `key` meet. One that the newest plan gives to another listener, or
   * to none, is as it was until it closes.
   */
  faceAt(key: ListenerKey): TcpFace {
    return this.#former.get(key) ?? this.#face;
  }

  update(plan: ListenerPlan, ways: Ways): void {
    const wanted = new Set(plan.sockets.map(({ key }) => key));
    for (const key of this.keys) {
      if (wanted.has(key)) this.#former.delete(key);
      else if (!this.#former.has(key)) this.#former.set(key, this.#face);
    }
    this.#face = new TcpFace(plan, ways, this.#clients);
    this.#rate = BeginRate.of(plan, this.#clients);
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Its clients go there, until the next update; everything else stays. */
  lead(key: ListenerKey, ways: Ways): void {
    if (!this.keys.has(key)) return;
    this.#former.set(key, new TcpFace(this.faceAt(key).plan, ways, this.#clients));
  }

  /** Where its sessions count that go to `waiting` and have no backend; null: nowhere yet. */
  seriesOf(waiting: WaitingSessions | null): SeriesId {
    const { plan, ways } = this.#face;
    return ways.areMany ? ways.seriesOf(waiting) : plan.series;
  }

  /** The socket is closed. */
  disown(key: ListenerKey): void {
    this.keys.delete(key);
    this.#former.delete(key);
  }

  leave(): void {
    doEach(this.#ledger, this.#atLeave);
  }

  /**
   * Begins the life of a session that was accepted, or holds it: those that came before go first.
   */
  receive(session: TcpSession, begin: (session: TcpSession) => void): void {
    if (this.#entering.size === 0 && this.#tryEnter()) return begin(session);
    this.#entering.add(session);
    // A place may have become free between the look and the mark.
    this.admit(begin);
  }

  /** A socket was opened; at the cap it does not accept either. */
  opened(key: ListenerKey): void {
    if (this.#accepting === 'paused') this.#engine.pauseListener(key);
  }

  /** The listener is gone: those that wait to enter wait no longer. */
  dismiss(): readonly TcpSession[] {
    const entering = [...this.#entering];
    this.#entering.clear();
    return entering;
  }

  /** A client that waits to enter went away. */
  forget(session: TcpSession): void {
    this.#entering.delete(session);
  }

  /**
   * Lets those that wait enter, in order, while there is room; accepts again when none is left.
   * Answers how many entered.
   */
  admit(begin: (session: TcpSession) => void): number {
    if (this.#accepting === 'yes') return 0;
    let entered = 0;
    for (const session of this.#entering) {
      if (!this.#tryEnter()) return entered;
      entered++;
      this.#entering.delete(session);
      begin(session);
    }
    if (this.#hasRoom()) this.#resume();
    return entered;
  }

  /**
   * Counts a session, or answers false at a cap. The last free place pauses accepting at once.
   */
  #tryEnter(): boolean {
    while (this.#hasRoom()) {
      // Another worker got the last place in this instant.
      if (!this.#take()) continue;
      if (!this.#hasRoom()) this.#pause();
      return true;
    }
    this.#pause();
    return false;
  }

  /**
   * Looks, and where there is no room leaves a mark and looks again: a thread that gives back a
   * place after that sees the mark.
   */
  #hasRoom(): boolean {
    if (this.#rate !== null && this.#isEarly(this.#rate)) return false;
    const { descriptors } = this.#ledger;
    let marked: 'nothing' | 'listener' | 'descriptors' | 'both' = 'nothing';
    for (;;) {
      const isFull = this.#ledger.listenerActive(this.id) >= this.plan.maxSessions;
      const isShort = descriptors.free < DESCRIPTORS_PER_SESSION;
      if (!isFull && !isShort) {
        if (marked !== 'nothing') this.#unmark();
        return true;
      }
      const lack = isFull ? (isShort ? 'both' : 'listener') : 'descriptors';
      if (marked === lack || marked === 'both') return false;
      if (isFull) this.#ledger.setListenerWaiting(this.id, this.#worker, 'waiting');
      if (isShort) descriptors.setWaiting(this.#worker, 'waiting');
      marked = marked === 'nothing' ? lack : 'both';
    }
  }

  /** Nothing else makes the time pass: it is looked at again when it has. */
  #isEarly(rate: BeginRate): boolean {
    this.dueMs = rate.dueMs(this.#clock.nowMs());
    if (this.dueMs === Number.POSITIVE_INFINITY) return false;
    this.#early(this.dueMs);
    return true;
  }

  /** One place of the listener, the descriptors of a session and its turn, or nothing of them. */
  #take(): boolean {
    const { descriptors } = this.#ledger;
    if (!descriptors.tryTake(DESCRIPTORS_PER_SESSION, this.#worker)) return false;
    if (this.#ledger.tryTakeListener(this.id, this.plan.maxSessions, this.#worker)) {
      if (this.#rate === null || this.#rate.tryBegin(this.#clock.nowMs())) return true;
      this.#ledger.giveBackListener(this.id, this.#worker);
    }
    descriptors.giveBack(DESCRIPTORS_PER_SESSION, this.#worker);
    this.#missed();
    return false;
  }

  #unmark(): void {
    this.#ledger.setListenerWaiting(this.id, this.#worker, 'accepting');
  }

  #pause(): void {
    if (this.#accepting === 'paused') return;
    this.#accepting = 'paused';
    this.#paused(this);
    for (const key of this.keys) this.#engine.pauseListener(key);
  }

  #resume(): void {
    this.#unmark();
    this.#accepting = 'yes';
    for (const key of this.keys) this.#engine.resumeListener(key);
  }
}
