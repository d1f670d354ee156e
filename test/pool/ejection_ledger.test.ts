import t from 'tap';
import type { BackendId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import type { EjectionLedger } from '../../src/pool/ejection_ledger.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { seed } from '../support/seed.js';

const a = 0 as BackendId;
const b = 1 as BackendId;

const fresh = (): EjectionLedger => new Ledger(createLedgerMemory()).ejections;
const limits = (consecutiveFailures: number, intervalMs = 1_000) => ({
  consecutiveFailures,
  intervalMs,
});

t.test('an answer ends the run of failures, of its own backend only', async (t) => {
  const ejections = fresh();
  for (const backend of [a, a, b]) ejections.fail(backend, 0, null);
  ejections.succeed(a);
  ejections.fail(a, 0, null);
  t.same([ejections.failuresInARow(a), ejections.failuresInARow(b)], [1, 1]);
});

t.test('failures that are older than the interval are no evidence', async (t) => {
  const rows = [
    { atMs: [0], enough: 1, counts: true },
    { atMs: [0, 1000], enough: 2, counts: true },
    { atMs: [0, 1001], enough: 2, counts: false },
    { atMs: [0, 900, 1300, 1800], enough: 3, counts: true },
    { atMs: [0, 900, 1300, 1901], enough: 3, counts: false },
    { atMs: [0, 2 ** 31, 2 ** 31 + 1], enough: 3, counts: false },
    { atMs: [2 ** 32 - 1, 2 ** 32 + 1], enough: 2, counts: true },
  ];
  for (const { atMs, enough, counts } of rows) {
    const ejections = fresh();
    for (const nowMs of atMs) ejections.fail(a, nowMs, limits(enough));
    const found = ejections.evidence(a, atMs.at(-1) ?? 0, limits(enough));
    t.equal(found >= enough, counts, `${enough} of ${atMs}`);
  }
});

t.test('evidence fades by itself, without another failure', async (t) => {
  const ejections = fresh();
  for (const nowMs of [0, 10]) ejections.fail(a, nowMs, limits(2));
  t.equal(ejections.evidence(a, 1000, limits(2)), 2);
  t.equal(ejections.evidence(a, 1001, limits(2)), 1);
});

t.test('clocks of two threads that differ a little change nothing', async (t) => {
  const ejections = fresh();
  for (const nowMs of [50, 52]) ejections.fail(a, nowMs, limits(2));
  t.equal(ejections.evidence(a, 49, limits(2)), 2);
});

t.test(`in any history the last ones decide (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let history = 0; history < 200; history++) {
    const ejections = fresh();
    const enough = 1 + below(random, 16);
    let run: number[] = [];
    let nowMs = below(random, 2 ** 31) * 4;
    for (let step = 0; step < 60; step++) {
      nowMs += below(random, 300);
      if (below(random, 8) === 0) {
        ejections.succeed(a);
        run = [];
      } else {
        ejections.fail(a, nowMs, limits(enough));
        run.push(nowMs);
      }
      const first = run.at(-enough);
      const expected = first !== undefined && nowMs - first <= 1_000;
      const found = ejections.evidence(a, nowMs, limits(enough)) >= enough;
      if (found !== expected) t.fail(`${enough} within 1 s of ${run} at ${nowMs}: ${found}`);
    }
  }
  t.pass('200 histories');
});

t.test('with many failures in a row their age is known to a sixteenth', async (t) => {
  const enough = 1_000;
  for (const [everyMs, counts] of [
    [0.9, true],
    [1.2, false],
  ] as const) {
    const ejections = fresh();
    for (let n = 0; n < enough; n++) ejections.fail(a, n * everyMs, limits(enough));
    const found = ejections.evidence(a, (enough - 1) * everyMs, limits(enough));
    t.equal(found >= enough, counts, `one every ${everyMs} ms`);
  }
});

t.test('what is forgotten counts no more, and a new term begins', async (t) => {
  const ejections = fresh();
  const before = ejections.term(a);
  ejections.fail(a, 0, limits(1));
  ejections.forget(a);
  t.equal(ejections.evidence(a, 0, limits(1)), 0);
  t.not(ejections.term(a), before);
});
