/** The UDP listeners of one worker: which sockets are open and whose they are. */
import { presentShared } from '../../core/assert.js';
import type { ListenerId, WorkerId } from '../../core/brand.js';
import { type IpEndpoint, isWildcard } from '../../core/endpoint.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { Ledger } from '../../pool/ledger.js';
import type { PoolView } from '../../pool/selection.js';
import type { OpenedSocket } from '../tcp/listeners.js';
import type { ListenerKey } from '../tcp_port.js';
import type { UdpEngine } from '../udp_port.js';
import { UdpListener } from './listener.js';

export interface UdpListenersDeps {
  readonly engine: UdpEngine;
  readonly ledger: Ledger;
  readonly worker: WorkerId;
  /** A flow gave back a descriptor, which others may wait for. */
  readonly descriptorFreed: () => void;
}

/** What the flows of a listener must know. */
export interface FlowKeeper {
  /** The listener's framing changed or, with a key, that socket closes: its flows end now. */
  endFlowsOf(listener: UdpListener, key: ListenerKey | null): void;
  /** The listener's timeouts may have changed. */
  rearmFlowsOf(listener: UdpListener): void;
}

export class UdpListeners {
  readonly #deps: UdpListenersDeps;
  readonly #keeper: FlowKeeper;
  readonly #byId = new Map<ListenerId, UdpListener>();
  readonly #byKey = new Map<ListenerKey, UdpListener>();
  /** No longer in the plan. A reply has no other way to a client than the sockets: they stay. */
  readonly #closing = new Set<UdpListener>();

  constructor(deps: UdpListenersDeps, keeper: FlowKeeper) {
    this.#deps = deps;
    this.#keeper = keeper;
  }

  byKey(key: ListenerKey): UdpListener {
    return presentShared(this.#byKey.get(key), 'a socket that nobody opened has received');
  }

  all(): Iterable<UdpListener> {
    return this.#byId.values();
  }

  /** Opens or updates a listener. New sockets open before old ones close. */
  async apply(plan: ListenerPlan, pool: PoolView): Promise<readonly OpenedSocket[]> {
    const listener = this.#byId.get(plan.id) ?? new UdpListener(plan, pool, this.#deps);
    this.#byId.set(plan.id, listener);
    this.#closing.delete(listener);
    this.#update(listener, plan, pool);
    const wanted = new Set(plan.sockets.map((socket) => socket.key));
    const fresh = plan.sockets.filter((socket) => !listener.keys.has(socket.key));
    const opened = await Promise.all(
      fresh.map(async ({ key, source }) => {
        this.#byKey.set(key, listener);
        listener.keys.add(key);
        const outcome = await this.#deps.engine.openListener(key, source, listener.framing);
        if (!outcome.ok) this.#forget(listener, key);
        else if (outcome.local.kind === 'ip') listener.places.set(key, outcome.local);
        return { key, outcome };
      }),
    );
    for (const key of listener.keys) {
      if (!wanted.has(key)) this.#close(listener, key);
    }
    return opened;
  }

  /** The flows of a listener go on, and no new one begins; with the last one its sockets close. */
  remove(id: ListenerId): void {
    const listener = this.#byId.get(id);
    if (listener !== undefined) this.#closing.add(listener);
  }

  isClosing(listener: UdpListener): boolean {
    return this.#closing.has(listener);
  }

  /** Closes the sockets of listeners that were removed and whose flows have ended. */
  settle(): void {
    for (const listener of this.#closing) if (listener.flows === 0) this.#shut(listener);
  }

  /**
   * A socket of a removed listener where another one of `plans` shall be closes now: the kernel
   * would divide the clients between both. Its flows end; those of its other sockets go on.
   */
  giveWay(plans: readonly ListenerPlan[]): void {
    this.settle();
    const wanted = plans.filter(isUdp).flatMap(placesOf);
    for (const listener of this.#closing) {
      if (plans.some(({ id }) => id === listener.id)) continue;
      for (const [key, place] of listener.places) {
        if (wanted.some((other) => overlap(place, other))) this.#close(listener, key);
      }
    }
    this.settle();
  }

  #shut(listener: UdpListener): void {
    this.#closing.delete(listener);
    for (const key of listener.keys) this.#close(listener, key);
    this.#byId.delete(listener.id);
  }

  #update(listener: UdpListener, plan: ListenerPlan, pool: PoolView): void {
    const framing = listener.framing;
    listener.update(plan, pool);
    if (framing === listener.framing) return this.#keeper.rearmFlowsOf(listener);
    this.#keeper.endFlowsOf(listener, null);
    for (const key of listener.keys) this.#deps.engine.setFraming(key, listener.framing);
  }

  #close(listener: UdpListener, key: ListenerKey): void {
    this.#keeper.endFlowsOf(listener, key);
    this.#deps.engine.closeListener(key);
    this.#forget(listener, key);
  }

  #forget(listener: UdpListener, key: ListenerKey): void {
    listener.keys.delete(key);
    listener.places.delete(key);
    this.#byKey.delete(key);
  }
}

function isUdp({ protocol }: ListenerPlan): boolean {
  return protocol === 'udp';
}

function placesOf({ sockets }: ListenerPlan): IpEndpoint[] {
  return sockets.flatMap(({ source: { local } }) => (local.kind === 'ip' ? [local] : []));
}

/** Whether a datagram may be meant for both. */
function overlap(a: IpEndpoint, b: IpEndpoint): boolean {
  return a.port === b.port && (a.host === b.host || isWildcard(a) || isWildcard(b));
}
