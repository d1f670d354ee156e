/** What must hold at the instant of a dial: whose turn it was, and why this backend. */
import { present } from '../../src/core/assert.js';
import { formatAddress } from '../../src/core/endpoint.js';
import type { BackendPlan, PoolPlan } from '../../src/core/plan.js';
import { ineligible } from '../../src/pool/eligibility.js';
import { regardOf } from '../../src/pool/standing.js';
import type { FakePair } from '../support/fake_tcp_engine.js';
import { holds } from './failure.js';
import type { SimWorker } from './sim_worker.js';
import type { Taking } from './watched_ledger.js';

/** The failure by which simulated dials meet a limit of the machine. */
export const OWN_LIMIT = 'no-free-port';

export class Dials {
  readonly #dialled = new WeakMap<FakePair, string[]>();

  /** Backends that the session has dialled, as text. */
  of(pair: FakePair): readonly string[] {
    return this.#dialled.get(pair) ?? [];
  }

  watch(worker: SimWorker): void {
    worker.tcp.onDial = (pair) => this.#check(worker, pair);
  }

  #check(worker: SimWorker, pair: FakePair): void {
    // What sluice itself lacked says nothing about the backend: it may be dialled again.
    const before = pair.failure === OWN_LIMIT ? this.of(pair).slice(0, -1) : this.of(pair);
    const target = pair.target ?? '';
    holds(!before.includes(target), () => `${target} is dialled again after it failed`);
    this.#dialled.set(pair, [...before, target]);
    const taking = worker.ledger.takeTaking();
    if (taking === null) return holds(false, () => `${target} is dialled without a reservation`);
    const pool = present(
      worker.plans.pool(taking.pool),
      'a backend was chosen from a pool that is in no plan',
    );
    const backend = pool.backends.find(({ id }) => id === taking.backend);
    if (backend === undefined) return holds(false, () => `${target} is in no plan`);
    const reserved = formatAddress(backend.endpoint);
    holds(reserved === target, () => `${target} is dialled, ${reserved} reserved`);
    holds(!backend.draining, () => `${backend.name} is out of the file and was chosen`);
    checkOrder(worker, pool, taking);
    checkHealth(worker, pool, backend);
    checkTier(worker, pool, backend, before);
  }
}

/** First come, first served, over all workers. */
function checkOrder(worker: SimWorker, pool: PoolPlan, taking: Taking): void {
  if (taking.left === 'no') {
    const overtakes = taking.turn !== null && pool.settings.queueSize > 0;
    return holds(
      !overtakes,
      () => `a session overtakes ${taking.queued} that wait in ${pool.name}`,
    );
  }
  const { turn, head } = taking;
  holds(turn === worker.id, () => `worker ${worker.id} serves its waiter at the turn of ${turn}`);
  holds(head === 'moved', () => `a waiter is served before the oldest of its own worker`);
}

function checkHealth({ ledger }: SimWorker, pool: PoolPlan, { id, name }: BackendPlan): void {
  if (pool.settings.panicPercent > 0) return;
  holds(ledger.health(id) === 'up', () => `${name} is dialled while it is down`);
  holds(ledger.closed(id) === 0, () => `${name} is dialled while it is ejected`);
}

/** A backup serves only in panic, or when none of a lower rank is eligible for this session. */
function checkTier(
  { ledger }: SimWorker,
  pool: PoolPlan,
  backend: BackendPlan,
  before: readonly string[],
): void {
  if (backend.rank === 0) return;
  const rest = pool.backends.filter(({ draining }) => !draining);
  if (regardOf(ledger, rest, pool.settings.panicPercent) === 'panic') return;
  for (const other of rest) {
    if (other.rank >= backend.rank || before.includes(formatAddress(other.endpoint))) continue;
    const free = ineligible(ledger, other.id, null, 'health') === null;
    holds(!free, () => `${backend.name} serves although ${other.name}, of a lower rank, could`);
  }
}
