/** A round-robin is one over all workers: they share its position and nothing else. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { PoolId, WorkerId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { type DrivenPolicy, membersOf, policyOf, Situation } from '../balance/situation.js';
import { seed } from '../support/seed.js';
import type { TurnsStart } from './turns_hammer.js';

const POOL = 5 as PoolId;
const POOLS = [
  [1, 1, 1, 1],
  [5, 1, 1],
  [1, 2, 3, 4],
  [1000, 1],
  [3, 3, 2, 0, 9],
];

/** The same pool in several workers, each with its own random numbers. */
function workers(count: number, weights: readonly number[]): DrivenPolicy[] {
  const ledger = new Ledger(createLedgerMemory());
  return Array.from({ length: count }, (_, worker) =>
    policyOf('round-robin', membersOf(...weights), {}, ledger.turnsOf(POOL, worker as WorkerId)),
  );
}

t.test(`whichever worker asks, the turns are those of one (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const weights of POOLS) {
    const period = weights.reduce((sum, weight) => sum + weight, 0);
    const situation = new Situation(membersOf(...weights));
    const policies = workers(3, weights);
    const turn = (): number =>
      policies[below(random, policies.length)]?.choose(situation, random) ?? -1;
    const first = Array.from({ length: period }, turn);
    const counts = weights.map((_, member) => first.filter((chosen) => chosen === member).length);
    t.same(counts, weights);
    for (let round = 0; round < 3; round++) {
      t.same(Array.from({ length: period }, turn), first, `the same order again: ${weights}`);
    }
  }
});

t.test(`a backend that comes and goes leaves no worker out of step (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const members = membersOf(1, 1, 1, 1);
  const situation = new Situation(members);
  const policies = workers(2, [1, 1, 1, 1]);
  for (let round = 0; round < 50; round++) {
    const out = below(random, 4);
    situation.only(...[0, 1, 2, 3].filter((member) => member !== out || round % 2 === 0));
    // Each worker sees a part of what happens while it is so.
    for (let n = below(random, 9); n > 0; n--) {
      policies[below(random, 2)]?.choose(situation, random);
    }
    const size = situation.eligibleCount;
    const turns = Array.from({ length: 2 * size }, (_, n) =>
      policies[n % 2]?.choose(situation, random),
    );
    t.same(turns.slice(size), turns.slice(0, size));
    t.equal(new Set(turns).size, size);
  }
});

t.test('threads that choose at the same time share each turn once', async (t) => {
  for (const weights of [
    [1, 1, 1, 1],
    [5, 1, 1],
    [1, 2, 3, 4],
  ]) {
    const period = weights.reduce((sum, weight) => sum + weight, 0);
    const start: TurnsStart = {
      memory: createLedgerMemory(),
      gate: new SharedArrayBuffer(4),
      threads: 3,
      choices: 400 * period,
      weights,
    };
    const threads = Array.from(
      { length: start.threads },
      (_, worker) =>
        new Worker(new URL('./turns_hammer.js', import.meta.url), {
          workerData: { ...start, worker },
        }),
    );
    const reports = await Promise.all(threads.map((thread) => once(thread, 'message')));
    const counts = weights.map((_, member) =>
      reports.reduce((sum, [report]) => sum + Number((report as number[])[member]), 0),
    );
    t.same(
      counts,
      weights.map((weight) => weight * 400 * start.threads),
    );
  }
});
