/** The TCP listeners of one worker: which sockets are open, whose they are, which wait for room. */
import { presentShared } from '../../core/assert.js';
import type { ListenerId, WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import { doEach } from '../../core/do_each.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { ClientTable } from '../../pool/client_table.js';
import { DESCRIPTORS_PER_SESSION } from '../../pool/descriptor_ledger.js';
import type { Ledger } from '../../pool/ledger.js';
import type { ListenerKey, ListenOutcome, TcpEngine } from '../tcp_port.js';
import { TcpListener } from './listener.js';
import type { TcpSession } from './session.js';
import type { Ways } from './ways.js';

export interface OpenedSocket {
  readonly key: ListenerKey;
  readonly outcome: ListenOutcome;
}

export interface TcpListenersDeps {
  readonly engine: TcpEngine;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
  readonly clock: Clock;
  readonly worker: WorkerId;
  readonly workers: number;
  readonly ring: (worker: WorkerId) => void;
}

export interface TcpListenersHooks {
  /** Starts the life of a session that was counted at its listener. */
  begin(session: TcpSession): void;
  /** Ends one that was held by a listener that is gone. */
  turnAway(session: TcpSession): void;
  /** The sessions of `listener` have another idle timeout. */
  rearmSessionsOf(listener: TcpListener): void;
}

export class TcpListeners {
  readonly #deps: TcpListenersDeps;
  readonly #hooks: TcpListenersHooks;
  readonly #begin: (session: TcpSession) => void;
  readonly #atLeave: readonly ((listener: TcpListener) => void)[] = [
    (listener) => listener.leave(),
    (listener) => this.#placeFreed(listener),
    () => this.descriptorsFreed(),
  ];
  readonly #byId = new Map<ListenerId, TcpListener>();
  readonly #byKey = new Map<ListenerKey, TcpListener>();
  /** Removed, but for all that is known here with sessions: one that comes back is the same. */
  readonly #removed = new Map<ListenerId, TcpListener>();
  /**
   * Those that stopped accepting, of thousands: no other has anything to be looked at for. One that
   * accepts again stays until the next look, as it may stop with its next session.
   */
  readonly #paused = new Set<TcpListener>();

  /** When one of them is to be looked at again, for the rate at which sessions may begin there. */
  nextMs = Number.POSITIVE_INFINITY;
  /** Whose turn it is to be looked at first. */
  #first = 0;

  constructor(deps: TcpListenersDeps, hooks: TcpListenersHooks) {
    this.#deps = deps;
    this.#hooks = hooks;
    this.#begin = (session) => hooks.begin(session);
  }

  /** A session was accepted at the socket `key` of its listener. */
  receive(session: TcpSession): void {
    session.listener.receive(session, this.#begin);
  }

  byKey(key: ListenerKey): TcpListener {
    return presentShared(this.#byKey.get(key), 'a socket that was not opened has accepted');
  }

  /** Opens or updates a listener. New sockets open before old ones close. */
  async apply(plan: ListenerPlan, ways: Ways): Promise<readonly OpenedSocket[]> {
    const listener = this.#byId.get(plan.id) ?? this.#returning(plan, ways);
    this.#byId.set(plan.id, listener);
    this.#update(listener, plan, ways);
    const wanted = new Set(plan.sockets.map((socket) => socket.key));
    const fresh = plan.sockets.filter((socket) => !listener.keys.has(socket.key));
    const opened = await Promise.all(
      fresh.map(async ({ key, source }) => {
        this.#byKey.set(key, listener);
        listener.keys.add(key);
        const outcome = await this.#deps.engine.openListener(key, source, plan.settings.backlog);
        if (outcome.ok) listener.opened(key);
        else this.#forget(listener, key);
        return { key, outcome };
      }),
    );
    for (const key of listener.keys) {
      if (!wanted.has(key)) this.#close(listener, key);
    }
    listener.admit(this.#begin);
    return opened;
  }

  /** Clients of the open socket `key` go other ways, until the next plan for its listener. */
  lead(id: ListenerId, key: ListenerKey, ways: Ways): void {
    this.#byId.get(id)?.lead(key, ways);
  }

  #update(listener: TcpListener, plan: ListenerPlan, ways: Ways): void {
    const { idleTimeoutMs } = listener.plan.settings;
    listener.update(plan, ways);
    if (idleTimeoutMs !== plan.settings.idleTimeoutMs) this.#hooks.rearmSessionsOf(listener);
  }

  /** Stops accepting; sessions stay, but for those that were held and never began. */
  remove(id: ListenerId): void {
    const listener = this.#byId.get(id);
    if (listener === undefined) return;
    for (const key of listener.keys) this.#close(listener, key);
    this.#byId.delete(id);
    this.#paused.delete(listener);
    this.#removed.set(id, listener);
    for (const session of listener.dismiss()) this.#hooks.turnAway(session);
  }

  /**
   * Visits every listener that stopped at a cap: there may be room. Each time another one is first,
   * so that none takes all of what they share.
   */
  admitAll(): void {
    // A listener that still finds too little says so again.
    this.#deps.ledger.descriptors.setWaiting(this.#deps.worker, 'accepting');
    const listeners = [...this.#paused];
    this.#first = (this.#first + 1) % Math.max(1, listeners.length);
    for (let at = 0; at < listeners.length; at++) {
      const listener = listeners[(this.#first + at) % listeners.length];
      listener?.admit(this.#begin);
      if (listener?.isAccepting === true) this.#paused.delete(listener);
    }
  }

  /** Sessions may begin again where they were too early. */
  tick(nowMs: number): void {
    this.nextMs = Number.POSITIVE_INFINITY;
    for (const listener of this.#paused) {
      if (listener.dueMs <= nowMs) listener.admit(this.#begin);
      else this.#lookAt(listener.dueMs);
    }
  }

  /**
   * Sessions or flows gave back descriptors: listeners that wait for some get them, here or in
   * another worker.
   */
  descriptorsFreed(): void {
    const { ledger, worker } = this.#deps;
    if (!ledger.descriptors.anyWaiting) return;
    if (ledger.descriptors.isWaiting(worker)) this.admitAll();
    // Else the one that gives back what is missing rings.
    if (ledger.descriptors.free >= DESCRIPTORS_PER_SESSION) this.#ringForDescriptors();
  }

  /** A counted session is over: its place goes to one that waits, here or in another worker. */
  leave(listener: TcpListener): void {
    doEach(listener, this.#atLeave);
  }

  #placeFreed({ id }: TcpListener): void {
    if (!this.#deps.ledger.anyListenerWaiting(id)) return;
    // Not the session's listener: it may have been removed and opened anew since that came.
    const entered = this.#byId.get(id)?.admit(this.#begin) ?? 0;
    // One that waited here has taken the place: another worker would be woken for nothing.
    if (entered === 0) this.#ringForPlaces(id);
  }

  #ringForPlaces(listener: ListenerId): void {
    const { ledger, worker, workers, ring } = this.#deps;
    for (let other = 0; other < workers; other++) {
      const id = other as WorkerId;
      if (id !== worker && ledger.listenerWaiting(listener, id)) ring(id);
    }
  }

  #ringForDescriptors(): void {
    const { ledger, worker, workers, ring } = this.#deps;
    for (let other = 0; other < workers; other++) {
      const id = other as WorkerId;
      if (id !== worker && ledger.descriptors.isWaiting(id)) ring(id);
    }
  }

  /** Its sessions must follow new limits, too, and their next choice is where it leads now. */
  #returning(plan: ListenerPlan, ways: Ways): TcpListener {
    const before = this.#removed.get(plan.id);
    this.#removed.delete(plan.id);
    if (before?.plan.name === plan.name) {
      if (!before.isAccepting) this.#paused.add(before);
      return before;
    }
    const missed = (): void => {
      this.#ringForDescriptors();
      this.#ringForPlaces(plan.id);
    };
    const early = (dueMs: number): void => this.#lookAt(dueMs);
    const paused = (listener: TcpListener): void => void this.#paused.add(listener);
    return new TcpListener(plan, ways, { ...this.#deps, missed, early, paused });
  }

  #lookAt(dueMs: number): void {
    this.nextMs = Math.min(this.nextMs, dueMs);
  }

  #close(listener: TcpListener, key: ListenerKey): void {
    this.#deps.engine.closeListener(key);
    this.#forget(listener, key);
  }

  #forget(listener: TcpListener, key: ListenerKey): void {
    listener.disown(key);
    this.#byKey.delete(key);
  }
}
