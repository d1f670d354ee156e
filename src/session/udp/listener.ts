/** One UDP listener in one worker: its sockets, its pool, and its share of the caps on flows. */

import type { ListenerId, WorkerId } from '../../core/brand.js';
import { doEach } from '../../core/do_each.js';
import type { IpEndpoint } from '../../core/endpoint.js';
import type { ListenerPlan } from '../../core/plan.js';
import { DESCRIPTORS_A_FLOW } from '../../pool/descriptor_ledger.js';
import type { Ledger } from '../../pool/ledger.js';
import type { PoolView } from '../../pool/selection.js';
import { Admission } from '../admission.js';
import type { ListenerKey } from '../tcp_port.js';
import type { Framing } from '../udp_port.js';
import type { UdpFlow } from './flow.js';
import { HeaderReader } from './header_reader.js';

export class UdpListener {
  readonly id: ListenerId;
  /** Engine keys of the sockets that are open. */
  readonly keys = new Set<ListenerKey>();
  /** Flows that wait for the first verdict about a backend, in order. */
  readonly unproven = new Set<UdpFlow>();
  /** Where its sockets are that are open, and which they are. */
  readonly places = new Map<ListenerKey, IpEndpoint>();
  readonly sockets = new Map<ListenerKey, number>();
  readonly #ledger: Ledger;
  readonly #worker: WorkerId;
  readonly #descriptorFreed: () => void;
  #plan: ListenerPlan;
  #pool: PoolView;
  #headers: HeaderReader | null;
  #admission: Admission | null;
  #flows = 0;

  constructor(
    plan: ListenerPlan,
    pool: PoolView,
    deps: {
      readonly ledger: Ledger;
      readonly worker: WorkerId;
      readonly descriptorFreed: () => void;
    },
  ) {
    this.id = plan.id;
    this.#ledger = deps.ledger;
    this.#worker = deps.worker;
    this.#descriptorFreed = deps.descriptorFreed;
    this.#plan = plan;
    this.#pool = pool;
    this.#headers = headersOf(plan);
    this.#admission = Admission.of(plan);
  }

  get plan(): ListenerPlan {
    return this.#plan;
  }

  get pool(): PoolView {
    return this.#pool;
  }

  /** Reads the PROXY header of each datagram; null where none is expected. */
  get headers(): HeaderReader | null {
    return this.#headers;
  }

  /** Who may come; null: everybody. */
  get admission(): Admission | null {
    return this.#admission;
  }

  get framing(): Framing {
    return this.#headers === null ? 'plain' : 'proxied';
  }

  /** Its flows in this worker. */
  get flows(): number {
    return this.#flows;
  }

  update(plan: ListenerPlan, pool: PoolView): void {
    this.#plan = plan;
    this.#pool = pool;
    this.#headers = headersOf(plan);
    this.#admission = Admission.of(plan);
  }

  /**
   * Counts a flow, or answers false at the listener's cap or where no descriptor may be had. Both
   * are exact over workers.
   */
  tryEnter(): boolean {
    const { descriptors } = this.#ledger;
    // Looked at first: datagrams that are shed must not wake who waits for descriptors.
    if (this.#ledger.listenerActive(this.id) >= this.#plan.maxSessions) return false;
    if (!descriptors.tryTake(DESCRIPTORS_A_FLOW, this.#worker)) return false;
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

  #giveBackDescriptor(): void {
    this.#ledger.descriptors.giveBack(DESCRIPTORS_A_FLOW, this.#worker);
    this.#descriptorFreed();
  }
}

function headersOf(plan: ListenerPlan): HeaderReader | null {
  return plan.settings.trustedProxies === null
    ? null
    : new HeaderReader(plan.settings.trustedProxies);
}
