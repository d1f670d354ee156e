/** The same as a worker does it: a pool over the ledger, which reserves, and leases that end. */
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { PoolPlan } from '../../src/core/plan.js';
import { seededRandom } from '../../src/core/random.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import type { Lease } from '../../src/pool/selection.js';
import { poolSettings } from '../../test/support/changed.js';
import { type Case, isEligible, type Share } from './subject.js';

/** Sessions that are open at any time. */
const OPEN = 4096;

export class PoolSubject {
  readonly #pool: Pool;
  readonly #open: (Lease | null)[] = Array.from({ length: OPEN }, () => null);
  readonly #request = { clientKey: new Uint8Array(4), tried: null };
  #next = 0;
  #nowMs = 0;

  constructor(each: Case, size: number, share: Share) {
    const ledger = new Ledger(createLedgerMemory());
    const plan = planOf(each, size);
    for (const [index, { id, weight }] of plan.backends.entries()) {
      ledger.setWeight(id, weight);
      ledger.setHealth(id, isEligible(share, index) ? 'up' : 'down');
    }
    this.#pool = new Pool(plan, {
      ledger,
      worker: 0 as WorkerId,
      clock: { nowMs: () => this.#nowMs, wallMs: () => this.#nowMs },
      random: seededRandom(size),
      freed: () => {},
      ejected: () => {},
    });
    this.choose(OPEN);
  }

  /** Chooses for this many sessions and connects them; the oldest ones are settled. */
  choose(sessions: number): void {
    const open = this.#open;
    const { clientKey } = this.#request;
    for (let n = 0; n < sessions; n++) {
      open[this.#next]?.settle('served');
      clientKey[1] = n >> 16;
      clientKey[2] = n >> 8;
      clientKey[3] = n;
      this.#nowMs += 0.05;
      const selection = this.#pool.select(this.#request);
      const lease = selection.kind === 'chosen' ? selection.lease : null;
      lease?.connected(1 + (n % 7) / 10);
      open[this.#next] = lease;
      if (++this.#next === open.length) this.#next = 0;
    }
  }
}

function planOf({ policy }: Case, size: number): PoolPlan {
  return {
    id: 0 as PoolId,
    name: 'any',
    settings: poolSettings({ policy }),
    backends: Array.from({ length: size }, (_, row) => ({
      id: row as BackendId,
      name: `10.0.${row >> 8}.${row & 255}:5432`,
      endpoint: ipEndpoint(4, `10.0.${row >> 8}.${row & 255}`, 5432),
      weight: 1 + (row % 3),
      rank: 0,
      draining: false,
      yielding: false,
    })),
  };
}
