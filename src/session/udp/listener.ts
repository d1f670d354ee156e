/** One UDP listener in one worker: its sockets, its pool, and its share of the caps on flows. */

import type { ListenerId, WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import { doEach } from '../../core/do_each.js';
import type { IpEndpoint } from '../../core/endpoint.js';
import type { DatagramDrop } from '../../core/outcome.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { ClientTable } from '../../pool/client_table.js';
import { DESCRIPTORS_PER_FLOW } from '../../pool/descriptor_ledger.js';
import type { Ledger } from '../../pool/ledger.js';
import type { SelectablePool } from '../../pool/selection.js';
import { Admission } from '../admission.js';
import { BeginRate } from '../begin_rate.js';
import { Limiter } from '../limiter.js';
import type { ListenerKey } from '../tcp_port.js';
import type { Framing } from '../udp_port.js';
import type { UdpFlow } from './flow.js';
import { HeaderReader } from './header_reader.js';
import { TakenBack } from './taken_back.js';

/** What a plan says of the clients of a listener. */
export interface UdpFace {
  /** Where they go. */
  readonly pool: SelectablePool;
  /** Which clients may connect; null: all. */
  readonly admission: Admission | null;
  /** What each of them may have; null: what it likes. */
  readonly limiter: Limiter | null;
}

/** What is asked of a client, in order. */
export interface Newcomer {
  readonly barred: () => DatagramDrop | null;
  readonly limited: () => DatagramDrop | null;
}

export class UdpListener {
  readonly id: ListenerId;
  /** Engine keys of the sockets that are open. */
  readonly keys = new Set<ListenerKey>();
  /** Flows that wait for the first verdict about a backend, in order. */
  readonly unproven = new Set<UdpFlow>();
  /** Where its sockets are that are open, and which they are. */
  readonly places = new Map<ListenerKey, IpEndpoint>();
  readonly sockets = new Map<ListenerKey, number>();
  readonly takenBack = new TakenBack();
  readonly #ledger: Ledger;
  readonly #clients: ClientTable;
  readonly #clock: Clock;
  readonly #worker: WorkerId;
  readonly #descriptorFreed: () => void;
  /** By open sockets that are not as the newest plan says. */
  readonly #former = new Map<ListenerKey, UdpFace>();
  #plan: ListenerPlan;
  #face: UdpFace;
  #rate: BeginRate | null;
  #headers: HeaderReader | null;
  #flows = 0;

  constructor(
    plan: ListenerPlan,
    pool: SelectablePool,
    deps: {
      readonly ledger: Ledger;
      readonly clients: ClientTable;
      readonly clock: Clock;
      readonly worker: WorkerId;
      readonly descriptorFreed: () => void;
    },
  ) {
    this.id = plan.id;
    this.#ledger = deps.ledger;
    this.#clients = deps.clients;
    this.#clock = deps.clock;
    this.#worker = deps.worker;
    this.#descriptorFreed = deps.descriptorFreed;
    this.#plan = plan;
    this.#face = this.#faceOf(plan, pool);
    this.#rate = BeginRate.of(plan, deps.clients);
    this.#headers = headersOf(plan);
  }

  get plan(): ListenerPlan {
    return this.#plan;
  }

  /**
   * What clients of the socket `key` meet. One that the newest plan gives to another listener, or
   * to none, is as it was until it closes.
   */
  faceAt(key: ListenerKey): UdpFace {
    return this.#former.get(key) ?? this.#face;
  }

  /** Its clients go there, until the next update; everything else stays. */
  lead(key: ListenerKey, pool: SelectablePool): void {
    if (this.keys.has(key)) this.#former.set(key, { ...this.faceAt(key), pool });
  }

  /** The socket is another listener's, or closed. */
  disown(key: ListenerKey): void {
    this.keys.delete(key);
    this.places.delete(key);
    this.sockets.delete(key);
    this.#former.delete(key);
  }

  /** Reads the PROXY header of each datagram; null where none is expected. */
  get headers(): HeaderReader | null {
    return this.#headers;
  }

  get framing(): Framing {
    return this.#headers === null ? 'plain' : 'proxied';
  }

  /** Its flows in this worker. */
  get flows(): number {
    return this.#flows;
  }

  update(plan: ListenerPlan, pool: SelectablePool): void {
    const wanted = new Set(plan.sockets.map(({ key }) => key));
    for (const key of this.keys) {
      if (wanted.has(key)) this.#former.delete(key);
      else if (!this.#former.has(key)) this.#former.set(key, this.#face);
    }
    this.#plan = plan;
    this.#face = this.#faceOf(plan, pool);
    this.#rate = BeginRate.of(plan, this.#clients);
    this.#headers = headersOf(plan);
  }

  /** What a flow would lack that began now; nothing is counted. */
  lacks(): 'flow-limit' | 'too-fast' | null {
    const isFull =
      this.#ledger.listenerActive(this.id) >= this.#plan.maxSessions ||
      this.#ledger.descriptors.free < DESCRIPTORS_PER_FLOW;
    if (isFull) return 'flow-limit';
    const dueMs = this.#rate?.dueMs(this.#clock.nowMs()) ?? Number.POSITIVE_INFINITY;
    return dueMs === Number.POSITIVE_INFINITY ? null : 'too-fast';
  }

  /** True: a flow that began now would be too early. Else it counts as one that has begun. */
  isEarly(): boolean {
    return this.#rate !== null && !this.#rate.tryBegin(this.#clock.nowMs());
  }

  /**
   * Counts a flow, or answers false at the listener's cap or where no descriptor may be had. Both
   * are exact over workers.
   */
  tryEnter(): boolean {
    const { descriptors } = this.#ledger;
    // Looked at first: datagrams that are shed must not wake listeners that wait for descriptors.
    if (this.#ledger.listenerActive(this.id) >= this.#plan.maxSessions) return false;
    if (!descriptors.tryTake(DESCRIPTORS_PER_FLOW, this.#worker)) return false;
    if (!this.#ledger.tryTakeListener(this.id, this.#plan.maxSessions, this.#worker)) {
      this.#giveBackDescriptor();
      return false;
    }
    this.#flows++;
    return true;
  }

  leave(): void {
    this.#flows--;
    doEach(null, [
      () => this.#ledger.giveBackListener(this.id, this.#worker),
      () => this.#giveBackDescriptor(),
    ]);
  }

  #faceOf(plan: ListenerPlan, pool: SelectablePool): UdpFace {
    return {
      pool,
      admission: Admission.of(plan),
      limiter: Limiter.of(plan, this.#clients),
    };
  }

  #giveBackDescriptor(): void {
    this.#ledger.descriptors.giveBack(DESCRIPTORS_PER_FLOW, this.#worker);
    this.#descriptorFreed();
  }
}

function headersOf(plan: ListenerPlan): HeaderReader | null {
  return plan.settings.trustedProxies === null
    ? null
    : new HeaderReader(plan.settings.trustedProxies);
}
