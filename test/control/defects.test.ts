/** What a worker reports of defects is bounded, and none is left out of the count. */
import t from 'tap';
import { DEFECTS_PER_SECOND, type Defect, Defects } from '../../src/control/defects.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test('a sentence with its stack and its listener is reported at once', (t) => {
  const told: Defect[] = [];
  const defects = new Defects((defect) => told.push(defect));
  defects.report(new Error('broken'), 'front', 0);
  defects.report('not an error', null, 0);
  t.match(told, [
    { count: 1, listener: 'front', detail: /^Error: broken\n +at / },
    { count: 1, listener: null, detail: 'not an error' },
  ]);
  defects.report(new Error('x'.repeat(100_000)), null, 0);
  t.equal(told.at(-1)?.detail.length, 2_000, 'and is never long');
  t.end();
});

t.test('beyond a number per second they are counted, and reported when the second is over', (t) => {
  const told: Defect[] = [];
  const defects = new Defects((defect) => told.push(defect));
  for (let count = 0; count < DEFECTS_PER_SECOND + 5; count++) defects.report('again', 'l', 100);
  t.equal(told.length, DEFECTS_PER_SECOND);
  defects.flush(1_099);
  t.equal(told.length, DEFECTS_PER_SECOND, 'not before');
  defects.flush(1_100);
  t.match(told.at(-1), { count: 5, detail: 'again' });
  defects.flush(9_000);
  t.equal(told.length, DEFECTS_PER_SECOND + 1, 'once');
  t.end();
});

t.test(`at any pace each one is counted once (SEED=${seed})`, (t) => {
  const random = seededRandom(seed);
  const told: { readonly atMs: number; readonly count: number }[] = [];
  let nowMs = 0;
  const defects = new Defects(({ count }) => told.push({ atMs: nowMs, count }));
  let reported = 0;
  for (let step = 0; step < 3_000; step++) {
    nowMs += below(random, 4) === 0 ? below(random, 400) : 0;
    if (below(random, 3) === 0) defects.flush(nowMs);
    else {
      defects.report('again', null, nowMs);
      reported++;
    }
  }
  defects.flush(Number.POSITIVE_INFINITY);
  t.equal(
    told.reduce((sum, { count }) => sum + count, 0),
    reported,
  );
  for (const { atMs } of told) {
    const within = told.filter((other) => other.atMs > atMs - 1_000 && other.atMs <= atMs).length;
    if (within > 2 * DEFECTS_PER_SECOND) t.fail(`${within} within a second`);
  }
  t.end();
});
