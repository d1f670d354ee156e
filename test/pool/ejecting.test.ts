/** Ejections by several threads: whatever the order of their steps, the limits hold. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { BackendId, PoolId } from '../../src/core/brand.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { CLOSED_BECAUSE } from '../../src/pool/backend_rows.js';
import {
  ejectionsAgree,
  endEjection,
  mostEjected,
  repairEjections,
  tryEject,
} from '../../src/pool/ejecting.js';
import { outIn } from '../../src/pool/ejection_ledger.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { seed } from '../support/seed.js';
import type { EjectStart } from './eject_hammer.js';
import { OUTLIER } from './outlier.js';

const POOL = 3 as PoolId;

/** A ledger whose shared words are reached in steps: between two of them others may act. */
class SteppedLedger extends Ledger {
  between: () => void = () => {};

  constructor() {
    super(createLedgerMemory());
    const { ejections } = this;
    const { word, state, tryCount, claim } = ejections;
    ejections.word = (pool) => this.#step(() => word.call(ejections, pool));
    ejections.state = (backend) => this.#step(() => state.call(ejections, backend));
    ejections.claim = (backend) => this.#step(() => claim.call(ejections, backend));
    ejections.tryCount = (...args) => this.#step(() => tryCount.apply(ejections, args));
  }

  override setClosed(...args: Parameters<Ledger['setClosed']>): void {
    this.#step(() => super.setClosed(...args));
  }

  override clearClosed(...args: Parameters<Ledger['clearClosed']>): void {
    this.#step(() => super.clearClosed(...args));
  }

  #step<T>(act: () => T): T {
    this.between();
    const result = act();
    this.between();
    return result;
  }
}

t.test(`no interleaving passes a limit or takes out the last one (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const met = new Set<string>();
  for (let history = 0; history < 300; history++) live(random, met);
  t.same([...met].sort(), ['already', 'ejected', 'last-one', 'max-ejected-percent', 'returned']);
});

/** One pool, and threads that interrupt each other anywhere, up to four deep. */
function live(random: Random, met: Set<string>): void {
  const ledger = new SteppedLedger();
  const count = 1 + below(random, 5);
  const members = Array.from({ length: count }, (_, index) => index as BackendId);
  const spec = { ...OUTLIER, maxEjectedPercent: below(random, 5) * 25 };
  const most = mostEjected(spec.maxEjectedPercent, count);
  const usable = members.filter(() => below(random, 4) > 0);
  for (const id of members) {
    ledger.setWeight(id, 1);
    ledger.setHealth(id, usable.includes(id) ? 'up' : 'down');
  }
  const closed = (id: BackendId): boolean => (ledger.closed(id) & CLOSED_BECAUSE.ejected) !== 0;
  const check = (): void => {
    const out = members.filter(closed);
    if (out.length > most) throw new Error(`${out.length} of ${count} are out, SEED=${seed}`);
    if (out.some((id) => usable.includes(id)) && usable.every(closed)) {
      throw new Error(`no backend is left, SEED=${seed}`);
    }
  };
  let depth = 0;
  let isEnding = false;
  const act = (): void => {
    const backend = below(random, count) as BackendId;
    if (below(random, 3) === 0 && !isEnding) {
      // Control alone puts backends back, one after the other.
      isEnding = true;
      if (closed(backend) && ledger.ejections.state(backend) === 'real') met.add('returned');
      endEjection(ledger, POOL, backend);
      isEnding = false;
    } else if (usable.includes(backend)) {
      met.add(tryEject(ledger, { pool: POOL, backend, members, spec, inARow: 5, nowMs: 0 }));
    }
  };
  ledger.between = () => {
    check();
    if (depth >= 4 || below(random, 10) > 0) return;
    depth++;
    act();
    depth--;
  };
  for (let step = 0; step < 40; step++) act();
  ledger.between = () => {};
  if (!ejectionsAgree(ledger, POOL, members)) throw new Error(`counts differ, SEED=${seed}`);
}

t.test('threads that eject all backends at once leave as many as the share says', async (t) => {
  for (const percent of [50, 100]) {
    const memory = createLedgerMemory();
    const ledger = new Ledger(memory);
    const start: EjectStart = {
      memory,
      gate: new SharedArrayBuffer(8),
      threads: 3,
      rounds: 300,
      backends: 8,
      percent,
    };
    const threads = Array.from(
      { length: start.threads },
      (_, index) =>
        new Worker(new URL('./eject_hammer.js', import.meta.url), {
          workerData: { ...start, index },
        }),
    );
    const reports = await Promise.all(threads.map((thread) => once(thread, 'message')));
    const outs = reports.flatMap(([out]) => out as number[]);
    t.same([...new Set(outs)], [percent === 100 ? 7 : 4], `${percent} %`);
    t.equal(outIn(ledger.ejections.word(0 as PoolId)), 0);
  }
});

t.test('a thread that was lost in the middle leaves nothing behind for long', async (t) => {
  const ledger = new Ledger(createLedgerMemory());
  const members = [0, 1, 2, 3].map((id) => id as BackendId);
  const [first, second] = [0 as BackendId, 1 as BackendId];
  for (const id of members) {
    ledger.setWeight(id, 1);
    ledger.setHealth(id, 'up');
  }
  ledger.ejections.claim(first);
  ledger.ejections.tryCount(POOL, ledger.ejections.word(POOL), 1);
  ledger.setClosed(first, 'ejected');
  t.notOk(ejectionsAgree(ledger, POOL, members));
  repairEjections(ledger, POOL, members);
  t.ok(ejectionsAgree(ledger, POOL, members));
  t.equal(ledger.closed(first), 0);
  for (const backend of [first, second]) {
    const request = { pool: POOL, backend, members, spec: OUTLIER, inARow: 5, nowMs: 0 };
    t.equal(tryEject(ledger, request), 'ejected');
  }
});

t.test('in a dry run the limits are the same, and nothing is closed', async (t) => {
  const ledger = new Ledger(createLedgerMemory());
  const members = [0, 1, 2].map((id) => id as BackendId);
  for (const id of members) {
    ledger.setWeight(id, 1);
    ledger.setHealth(id, 'up');
  }
  const spec = { ...OUTLIER, dryRun: true };
  const answers = members.map((backend) =>
    tryEject(ledger, { pool: POOL, backend, members, spec, inARow: 5, nowMs: 0 }),
  );
  t.same(answers, ['ejected', 'max-ejected-percent', 'max-ejected-percent']);
  t.ok(members.every((id) => ledger.closed(id) === 0));
});
