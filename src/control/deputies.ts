/**
 * While a worker does not serve, another one, its deputy, accepts at its sockets: the kernel goes
 * on to give them their share of the clients. Pure.
 */
import type { WorkerId } from '../core/brand.js';
import { isWildcard } from '../core/endpoint.js';
import type { SocketPlan } from '../core/plan.js';
import type { EngineName } from '../core/spec.js';

export type Presence =
  | 'serves'
  /** It has not gone through its loop for a while, and may go on at any moment. */
  | 'quiet'
  /** Its thread has ended, and the next one starts soon. */
  | 'lost'
  /** The next one is late, or could not start. */
  | 'missing'
  /** The next one has been sent the plan, and has not applied it yet. */
  | 'returning';

type Protocol = 'tcp' | 'udp';

export class Deputies {
  readonly #workers: readonly WorkerId[];
  readonly #presence: Presence[];
  /** By the worker that does not serve; without an entry no worker is left. */
  readonly #deputies = new Map<WorkerId, WorkerId>();

  constructor(workers: number) {
    this.#workers = Array.from({ length: workers }, (_, worker) => worker as WorkerId);
    this.#presence = this.#workers.map(() => 'serves');
  }

  presenceOf(worker: WorkerId): Presence {
    return this.#presence[worker] ?? 'missing';
  }

  /** Returns the workers whose sockets change by that. */
  now(worker: WorkerId, presence: Presence): readonly WorkerId[] {
    const before = this.#workers.map((each) => this.#dutiesOf(each));
    this.#presence[worker] = presence;
    this.#appoint();
    return this.#workers.filter((each) => before[each] !== this.#dutiesOf(each));
  }

  /** Whose sockets of `protocol` `worker` serves beside its own. */
  chargesOf(worker: WorkerId, protocol: Protocol): readonly WorkerId[] {
    return this.#workers.filter(
      (each) => this.#deputies.get(each) === worker && isTakenOver(this.presenceOf(each), protocol),
    );
  }

  /** A deputy stays one while it serves; a new one is the worker with the least to do. */
  #appoint(): void {
    for (const [charge, deputy] of this.#deputies) {
      const isNeeded = this.presenceOf(charge) !== 'serves';
      if (!isNeeded || this.presenceOf(deputy) !== 'serves') this.#deputies.delete(charge);
    }
    for (const worker of this.#workers) {
      if (this.presenceOf(worker) === 'serves' || this.#deputies.has(worker)) continue;
      const deputy = this.#leastBusy();
      if (deputy !== undefined) this.#deputies.set(worker, deputy);
    }
  }

  #leastBusy(): WorkerId | undefined {
    const deputies = [...this.#deputies.values()];
    const load = (worker: WorkerId): number => deputies.filter((each) => each === worker).length;
    return this.#workers
      .filter((worker) => this.presenceOf(worker) === 'serves')
      .toSorted((a, b) => load(a) - load(b))[0];
  }

  #dutiesOf(worker: WorkerId): string {
    return JSON.stringify([this.chargesOf(worker, 'tcp'), this.chargesOf(worker, 'udp')]);
  }
}

/**
 * Two may accept from one queue, so TCP clients never wait. Two that receive from one socket divide
 * the datagrams of a flow, so a deputy does not begin before the worker is known not to be back
 * soon, and ends before it is.
 */
function isTakenOver(presence: Presence, protocol: Protocol): boolean {
  return presence !== 'serves' && (protocol === 'tcp' || presence === 'missing');
}

/**
 * Those of another worker's sockets that a deputy must take over, and can. A unix socket has one
 * queue for all workers. A socket that a worker bound by itself is closed with its thread, and so
 * are those that the node engine has beside a wildcard for datagrams: their clients come to other
 * workers anyway.
 */
export function socketsTakenOver(
  sockets: readonly SocketPlan[],
  protocol: Protocol,
  engine: EngineName,
): readonly SocketPlan[] {
  return sockets.filter(({ source: { kind, local } }) => {
    if (kind !== 'descriptor' || local.kind !== 'ip') return false;
    return protocol === 'tcp' || engine !== 'node' || !isWildcard(local);
  });
}
