/**
 * From "needs a backend" to an open upstream socket: asks the pool, waits when no backend has had a
 * verdict yet, and goes on to another backend where one cannot be reached.
 */

import { KeyRoom, NO_KEY } from '../../core/address_key.js';
import { unreachable } from '../../core/assert.js';
import type { Clock } from '../../core/clock.js';
import { doEach } from '../../core/do_each.js';
import type { DatagramDrop, DialFailure } from '../../core/outcome.js';
import type { Lease, Selection } from '../../pool/selection.js';
import { forgetNotice } from '../due.js';
import { isOwn } from '../own_failures.js';
import { encodeV2 } from '../proxy_protocol/encode.js';
import type { UdpEngine } from '../udp_port.js';
import type { FlowBook } from './book.js';
import { ADRIFT, type UdpFlow } from './flow.js';
import type { UdpListener } from './listener.js';

export type FlowChoice =
  /** The flow has a reservation and an upstream socket. */
  | 'open'
  /** The flow waits for a first verdict; the engine shall hold what comes. */
  | 'unproven'
  /** The flow has no backend: the reason. */
  | DatagramDrop;

/** How long a backend that should not serve is kept when the pool chose it for want of others. */
const PIN_MS = 1_000;
/** Until when a flow of a held pool waits. */
const HELD = Number.POSITIVE_INFINITY;

export class FlowChoosing {
  readonly #engine: UdpEngine;
  readonly #clock: Clock;
  readonly #book: FlowBook;
  readonly #room = new KeyRoom();
  /** Where flows wait, or did so at the last look. */
  readonly #waits = new Set<UdpListener>();

  constructor(engine: UdpEngine, clock: Clock, book: FlowBook) {
    this.#engine = engine;
    this.#clock = clock;
    this.#book = book;
  }

  /**
   * Finds a backend for a flow without a reservation; bounded by the pool's retries, of which
   * `spent` are gone for the datagram at hand.
   */
  choose(flow: UdpFlow, spent = 0): FlowChoice {
    const pool = flow.leadsTo;
    if (pool.settings.heldAtMost > 0) return this.#hold(flow);
    for (let failures = spent; failures <= pool.settings.retries; failures++) {
      const selection = this.#select(flow, failures);
      switch (selection.kind) {
        case 'unproven':
          return this.#awaitVerdict(flow);
        case 'none':
          return failures === 0 ? selection.reason : 'backend-unreachable';
        case 'chosen': {
          const choice = this.#open(flow, selection.lease);
          if (choice !== 'backend-unreachable') return choice;
          break;
        }
        default:
          return unreachable(selection);
      }
    }
    return 'backend-unreachable';
  }

  /** Listeners at which flows wait: a look at all of them would cost by how many there are. */
  waited(): readonly UdpListener[] {
    for (const listener of this.#waits) {
      if (listener.unproven.size === 0) this.#waits.delete(listener);
    }
    return [...this.#waits];
  }

  /** The flow waits no longer. */
  forget(flow: UdpFlow): void {
    if (flow.phase.at === 'unproven') flow.listener.unproven.delete(flow);
  }

  /** The present backend has answered for the first time. */
  answered(flow: UdpFlow, lease: Lease): void {
    const firstByteMs = flow.hasAnswered(this.#clock.nowMs());
    this.#book.firstByte(flow, firstByteMs);
    lease.answered(firstByteMs);
  }

  /** Counts a flow that goes on at its listener, and only then gives up its reservation. */
  unseat(flow: UdpFlow, because: 'unreachable' | 'moving'): void {
    const before = flow.series;
    this.#book.count(flow);
    flow.series = flow.listener.plan.series;
    this.#book.moved(flow, before);
    this.leave(flow, because);
  }

  /** Gives up the reservation (if any) of a flow whose backend serves it no longer. */
  leave(flow: UdpFlow, because: 'unreachable' | 'moving'): void {
    const { phase } = flow;
    if (phase.at !== 'open') return;
    flow.phase = ADRIFT;
    if (because === 'unreachable') {
      flow.addTried(phase.lease.backend);
      phase.lease.settle('failed');
    } else {
      phase.lease.settle(flow.answered === 'yes' ? 'served' : 'neutral');
    }
  }

  #select(flow: UdpFlow, failures: number): Selection {
    const pool = flow.leadsTo;
    const clientKey = pool.needsClientKey
      ? this.#room.keyOf(flow.client(this.#engine.client(flow.id)))
      : NO_KEY;
    const selection = pool.select({ clientKey, tried: flow.tried });
    // Backends that were unreachable for earlier datagrams come back when there is no other.
    if (selection.kind !== 'none' || flow.tried === null || failures > 0) return selection;
    flow.tried = null;
    return pool.select({ clientKey, tried: null });
  }

  #open(flow: UdpFlow, lease: Lease): FlowChoice {
    const { backend } = lease;
    const { listener } = flow;
    const now = this.#clock.nowMs();
    const outcome = this.#openAt(flow, lease);
    if (outcome === 'open') {
      this.forget(flow);
      flow.phase = { at: 'open', lease };
      forgetNotice(flow, backend.id);
      flow.openedMs = now;
      flow.answered = 'no';
      flow.pinnedUntilMs = flow.leadsTo.mayStay(backend.id) ? 0 : now + PIN_MS;
      return 'open';
    }
    // Our own limit says nothing about the backend, and no other backend would help.
    const isOurs = isOwn(outcome);
    doEach(null, [
      () => this.#book.unreachable(flow, outcome),
      () => {
        // Without a reservation it counts at no backend: that row may soon be another backend's.
        flow.series = listener.plan.series;
        if (!isOurs) flow.addTried(backend);
      },
      () => lease.settle(isOurs ? 'neutral' : 'failed'),
    ]);
    if (outcome === 'no-source-address') return outcome;
    return isOurs ? 'resource-limit' : 'backend-unreachable';
  }

  /** What breaks here gives the lease back; from the answer on it is the flow's, or settled. */
  #openAt(flow: UdpFlow, lease: Lease): 'open' | DialFailure {
    const { backend } = lease;
    const { plan } = flow.listener;
    try {
      this.#book.count(flow);
      flow.series = this.#book.rowOf(flow, backend);
      flow.backend = backend;
      flow.pool = flow.leadsTo;
      if (flow.tried !== null) this.#book.retried(flow);
      const prelude = this.#prelude(flow);
      let lacks: DialFailure = 'no-source-address';
      for (const source of flow.leadsTo.sourcesFor(backend.endpoint)) {
        const outcome = this.#engine.openFlow(flow.id, backend.endpoint, prelude, source);
        if (outcome === 'no-free-port') lacks = outcome;
        else if (outcome !== 'no-source-address') return outcome;
      }
      return lacks;
    } catch (error) {
      // Where it counted before, as every flow without a reservation.
      flow.series = plan.series;
      lease.settle('neutral');
      throw error;
    }
  }

  /** It waits until the pool is released; what comes for it meanwhile is the engine's to hold. */
  #hold(flow: UdpFlow): FlowChoice {
    const { unproven } = flow.listener;
    if (flow.phase.at !== 'unproven') {
      // Exact in this worker: what a flow may hold is little, and bounded over all of them.
      if (unproven.size >= flow.leadsTo.settings.heldAtMost) return 'flow-limit';
      this.#wait(flow);
    }
    flow.phase = { at: 'unproven', untilMs: HELD };
    return 'unproven';
  }

  #awaitVerdict(flow: UdpFlow): FlowChoice {
    if (flow.phase.at !== 'unproven' || flow.phase.untilMs === HELD) {
      const untilMs = this.#clock.nowMs() + flow.leadsTo.settings.connectTimeoutMs;
      flow.phase = { at: 'unproven', untilMs };
      this.#wait(flow);
    }
    return 'unproven';
  }

  #wait(flow: UdpFlow): void {
    flow.listener.unproven.add(flow);
    this.#waits.add(flow.listener);
  }

  /** Version 2 whichever is configured: version 1 has no UDP. */
  #prelude(flow: UdpFlow): Uint8Array | null {
    if (flow.leadsTo.settings.sendProxyProtocol === 'off') return null;
    return encodeV2({
      transport: 'dgram',
      source: flow.client(this.#engine.client(flow.id)),
      destination: flow.proxied?.destination ?? this.#engine.local(flow.id),
      tlvs: flow.proxied?.tlvs ?? [],
    });
  }
}
