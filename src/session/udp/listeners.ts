/** The UDP listeners of one worker: which sockets are open and whose they are. */
import { presentShared } from '../../core/assert.js';
import type { ListenerId, WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import { type IpEndpoint, overlap } from '../../core/endpoint.js';
import type { DatagramDrop } from '../../core/outcome.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { ClientTable } from '../../pool/client_table.js';
import type { Ledger } from '../../pool/ledger.js';
import type { SelectablePool } from '../../pool/selection.js';
import type { OpenedSocket } from '../tcp/listeners.js';
import type { ListenerKey, ListenOutcome } from '../tcp_port.js';
import type { UdpEngine } from '../udp_port.js';
import type { FlowKeeper } from './flow_keeper.js';
import { type Newcomer, UdpListener } from './listener.js';

export interface UdpListenersDeps {
  readonly engine: UdpEngine;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
  readonly clock: Clock;
  readonly worker: WorkerId;
  /** A flow gave back a descriptor, which others may wait for. */
  readonly descriptorFreed: () => void;
}

/** A socket that takes no more from clients. */
interface Leaving {
  listener: UdpListener;
  /** What had come before is with the flows. */
  readonly left: Promise<void>;
  /** It was handed over, and closes then; Infinity: not yet. */
  untilMs: number;
}

export class UdpListeners {
  readonly #deps: UdpListenersDeps;
  readonly #keeper: FlowKeeper;
  readonly #byId = new Map<ListenerId, UdpListener>();
  readonly #byKey = new Map<ListenerKey, UdpListener>();
  /**
   * No longer in the plan. A reply has no other way to a client than the sockets: they stay.
   * `soon`: those that take its place come with the same plan, and it serves until then.
   */
  readonly #closing = new Map<UdpListener, 'soon' | 'now'>();
  /** Sockets of the plans that are being applied. */
  #coming: ReadonlySet<number> = new Set();
  readonly #leaving = new Map<ListenerKey, Leaving>();
  /** Keys that are closed, until another plan comes. */
  readonly #gone = new Map<ListenerKey, UdpListener>();

  constructor(deps: UdpListenersDeps, keeper: FlowKeeper) {
    this.#deps = deps;
    this.#keeper = keeper;
  }

  byKey(key: ListenerKey): UdpListener {
    return presentShared(this.#byKey.get(key), 'a socket that was not opened has received');
  }

  /** As `byKey`, and for a key that was closed not long ago: datagrams of its flows may be late. */
  lastOf(key: ListenerKey): UdpListener | undefined {
    return this.#byKey.get(key) ?? this.#gone.get(key);
  }

  /** Opens or updates a listener. New sockets open before old ones close. */
  async apply(plan: ListenerPlan, pool: SelectablePool): Promise<readonly OpenedSocket[]> {
    const listener = this.#byId.get(plan.id) ?? new UdpListener(plan, pool, this.#deps);
    this.#byId.set(plan.id, listener);
    this.#closing.delete(listener);
    this.#update(listener, plan, pool);
    const wanted = new Set(plan.sockets.map((socket) => socket.key));
    // Open under the same key, by whomever.
    for (const key of wanted) {
      const known = this.#leaving.get(key);
      if (known !== undefined) await this.#leave(known.listener, key, 'given up');
    }
    const fresh = plan.sockets.filter((socket) => !listener.keys.has(socket.key));
    const opened = await Promise.all(
      fresh.map(async (socket) => ({
        key: socket.key,
        outcome: await this.#open(listener, socket),
      })),
    );
    const kept = plan.sockets.filter((socket) => !fresh.includes(socket));
    await this.#allLeave(
      listener,
      (key) => !wanted.has(key) && !this.#passesOn(listener, key),
      plan.sockets.length === 0 ? 'all' : kept.flatMap(placeOf),
    );
    return opened;
  }

  /** Clients of the open socket `key` go to another pool, until the next plan for its listener. */
  lead(id: ListenerId, key: ListenerKey, pool: SelectablePool): void {
    this.#byId.get(id)?.lead(key, pool);
  }

  /** It has left the plan, and serves until `remove`. */
  yield(id: ListenerId): void {
    const listener = this.#byId.get(id);
    if (listener !== undefined && !this.#closing.has(listener)) this.#closing.set(listener, 'soon');
  }

  /** The flows of a listener go on, and no new one begins; with the last one its sockets close. */
  remove(id: ListenerId): void {
    const listener = this.#byId.get(id);
    if (listener !== undefined) this.#closing.set(listener, 'now');
  }

  /**
   * Counts a new flow at its listener, or says why it is refused; what `limited` answers counts. A
   * flow without a place at the listener, or too early for all, has spent no turn of its client.
   */
  enter(listener: UdpListener, client: Newcomer): DatagramDrop | null {
    if (this.isClosing(listener)) return 'listener-closing';
    const refusal = client.barred() ?? listener.lacks() ?? client.limited();
    if (refusal !== null) return refusal;
    if (listener.isEarly()) return 'too-fast';
    return listener.tryEnter() ? null : 'flow-limit';
  }

  isClosing(listener: UdpListener): boolean {
    return this.#closing.get(listener) === 'now';
  }

  /**
   * Closes the sockets of listeners that were removed and whose flows have ended, and those that
   * were handed over long enough ago; answers when the next one of these is due.
   */
  settle(nowMs: number): number {
    for (const [listener, when] of this.#closing) {
      if (when === 'now' && listener.flows === 0) void this.#shut(listener);
    }
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [key, { listener, untilMs }] of this.#leaving) {
      if (untilMs <= nowMs) this.#close(listener, key);
      else dueMs = Math.min(dueMs, untilMs);
    }
    return dueMs;
  }

  /**
   * A socket of a removed listener where another one of `plans` shall be closes now: the kernel
   * would divide the clients between both. Its flows end; those of its other sockets go on. A
   * listener that is `coming` back stays, and so does a socket that one of `plans` takes over.
   */
  async giveWay(plans: readonly ListenerPlan[], coming: ReadonlySet<ListenerId>): Promise<void> {
    const sockets = plans.filter(isUdp).flatMap((plan) => plan.sockets);
    this.#gone.clear();
    this.#coming = new Set(sockets.map(({ socket }) => socket));
    const wanted = sockets.flatMap(placeOf);
    for (const listener of [...this.#closing.keys()]) {
      if (coming.has(listener.id)) continue;
      const passed = [...listener.places].filter(([key]) => this.#passesOn(listener, key));
      await this.#allLeave(
        listener,
        (key) => {
          const place = listener.places.get(key);
          if (place === undefined || this.#passesOn(listener, key)) return false;
          return wanted.some((other) => overlap(place, other));
        },
        passed.map(([, place]) => place),
      );
      if (listener.flows === 0 && passed.length === 0) await this.#shut(listener);
    }
  }

  /** Its socket is, or shall be, open under another key too, by which it is received from. */
  #passesOn(listener: UdpListener, key: ListenerKey): boolean {
    return this.#coming.has(listener.sockets.get(key) ?? Number.NaN);
  }

  async #open(
    listener: UdpListener,
    { key, source, socket }: ListenerPlan['sockets'][number],
  ): Promise<ListenOutcome> {
    const from = this.#takeOver(listener, socket);
    this.#byKey.set(key, listener);
    listener.keys.add(key);
    listener.sockets.set(key, socket);
    const opening = this.#deps.engine.openListener(key, source, listener.framing, from);
    const left = opening.then(() => {});
    const leaving = { listener, left, untilMs: Number.POSITIVE_INFINITY };
    if (from !== null) this.#leaving.set(from, leaving);
    const outcome = await opening;
    if (!outcome.ok) this.#forget(listener, key);
    else if (outcome.local.kind === 'ip') listener.places.set(key, outcome.local);
    if (from !== null && this.#leaving.get(from) === leaving) {
      leaving.untilMs = this.#keeper.handOverFlowsAt(from);
    }
    return outcome;
  }

  /**
   * All keys of that socket are the listener's from now on: what still comes by one of them may
   * begin a flow of its own, and they close with it. Answers the one that receives.
   */
  #takeOver(listener: UdpListener, socket: number): ListenerKey | null {
    let receiving: ListenerKey | null = null;
    for (const [key, other] of [...this.#byKey]) {
      if (other.sockets.get(key) !== socket) continue;
      const leaving = this.#leaving.get(key);
      if (leaving === undefined) receiving = key;
      else leaving.listener = listener;
      const place = other.places.get(key);
      other.disown(key);
      listener.keys.add(key);
      listener.sockets.set(key, socket);
      if (place !== undefined) listener.places.set(key, place);
      // Else it is read in another way, by the listener that opened it.
      if (other.framing === listener.framing) this.#byKey.set(key, listener);
    }
    return receiving;
  }

  async #shut(listener: UdpListener): Promise<void> {
    await this.#allLeave(listener, () => true);
    if (listener.keys.size > 0 || !this.#closing.delete(listener)) return;
    this.#byId.delete(listener.id);
  }

  /**
   * Sockets of `listener` close, with what they have received handed on. One at a place where this
   * worker had a socket of its own that stays (`kept`) is another worker's, whose deputy it was:
   * that one receives there now, and only replies are still ours. `all`: another process does.
   */
  async #allLeave(
    listener: UdpListener,
    which: (key: ListenerKey) => boolean,
    kept: readonly IpEndpoint[] | 'all' = [],
  ): Promise<void> {
    const leaving = [...listener.keys].filter(which).map((key) => {
      const place = listener.places.get(key);
      const isHandedOver = kept === 'all' || (place && kept.some((other) => same(place, other)));
      return this.#leave(listener, key, isHandedOver ? 'handed over' : 'given up');
    });
    await Promise.all(leaving);
  }

  async #leave(
    listener: UdpListener,
    key: ListenerKey,
    how: 'handed over' | 'given up',
  ): Promise<void> {
    const known = this.#leaving.get(key);
    if (known !== undefined && how === 'handed over') return;
    const leaving = known ?? this.#startLeaving(listener, key);
    await leaving.left;
    // It was closed meanwhile, and may be open again.
    if (this.#leaving.get(key) !== leaving) return;
    if (how === 'given up') this.#close(listener, key);
    else leaving.untilMs = this.#keeper.handOverFlowsAt(key);
  }

  #startLeaving(listener: UdpListener, key: ListenerKey): Leaving {
    const left = this.#deps.engine.leaveListener(key);
    const leaving = { listener, left, untilMs: Number.POSITIVE_INFINITY };
    this.#leaving.set(key, leaving);
    return leaving;
  }

  #update(listener: UdpListener, plan: ListenerPlan, pool: SelectablePool): void {
    const framing = listener.framing;
    listener.update(plan, pool);
    if (framing === listener.framing) return this.#keeper.rearmFlowsOf(listener);
    this.#keeper.endFlowsOf(listener);
    for (const key of listener.keys) this.#deps.engine.setFraming(key, listener.framing);
  }

  #close(listener: UdpListener, key: ListenerKey): void {
    this.#keeper.endFlowsAt(key);
    this.#deps.engine.closeListener(key);
    this.#forget(listener, key);
  }

  #forget(listener: UdpListener, key: ListenerKey): void {
    listener.disown(key);
    this.#leaving.delete(key);
    this.#byKey.delete(key);
    this.#gone.set(key, listener);
  }
}

function isUdp({ protocol }: ListenerPlan): boolean {
  return protocol === 'udp';
}

function placeOf({ source: { local } }: ListenerPlan['sockets'][number]): IpEndpoint[] {
  return local.kind === 'ip' ? [local] : [];
}

function same(a: IpEndpoint, b: IpEndpoint): boolean {
  return a.port === b.port && a.host === b.host;
}
