/**
 * Keeps what sessions and flows may have together in step with the sockets that are listened on:
 * less before some are opened, more when others are closed.
 */

import { listenerKey } from '../core/identity.js';
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import type { DescriptorLedger } from '../pool/descriptor_ledger.js';
import type { Refusal } from './change_queue.js';
import {
  type DescriptorBudget,
  listeningDescriptors,
  sessionDescriptors,
  tooManySockets,
} from './descriptor_budget.js';
import type { ListeningSockets } from './listening_sockets.js';
import type { LostFiles } from './lost_sockets.js';

export interface DescriptorSharesDeps {
  readonly budget: DescriptorBudget;
  readonly workers: number;
  readonly descriptors: DescriptorLedger;
  readonly sockets: ListeningSockets;
}

export class DescriptorShares {
  readonly #deps: DescriptorSharesDeps;

  constructor(deps: DescriptorSharesDeps) {
    this.#deps = deps;
  }

  /** Before anything that `spec` listens on is opened; `settle` must follow, whatever becomes. */
  make(spec: Spec, lost: LostFiles): Result<null, Refusal> {
    const { budget, workers, descriptors, sockets } = this.#deps;
    const fresh = spec.listeners.map((listener) =>
      sockets.missing(listenerKey(listener), listener, lost),
    );
    const addresses = sockets.count + fresh.reduce((sum, count) => sum + count, 0);
    const open = listeningDescriptors(sockets.count, workers);
    const wanted = listeningDescriptors(addresses, workers);
    // Less first: what is in use can only fall from here on.
    descriptors.allow(sessionDescriptors(budget, wanted));
    const refusal = tooManySockets(budget, { open, wanted, used: descriptors.used });
    return refusal === null ? ok(null) : err([refusal]);
  }

  /** Sockets were opened or closed, or are not going to be. */
  settle(): void {
    const { budget, workers, descriptors, sockets } = this.#deps;
    descriptors.allow(sessionDescriptors(budget, listeningDescriptors(sockets.count, workers)));
  }
}
