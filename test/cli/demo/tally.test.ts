/** What the demo's clients have seen, as figures. */
import t from 'tap';
import {
  answered,
  type DemoTally,
  meanMs,
  NOTHING_YET,
  shareOf,
  tallySince,
} from '../../../src/cli/demo/tally.js';

const tally = (fast: number, slow: number, failed = 0): DemoTally => ({
  backends: [
    { name: 'fast', answered: fast, totalMs: fast * 20 },
    { name: 'slow', answered: slow, totalMs: slow * 80 },
  ],
  failed,
  lastFailure: null,
  deaths: 0,
});

t.test('shares add up to one, and a mean is that of the own answers', async (t) => {
  const now = tally(30, 10);
  t.equal(answered(now), 40);
  t.same(
    now.backends.map((backend) => shareOf(now, backend)),
    [0.75, 0.25],
  );
  t.same(now.backends.map(meanMs), [20, 80]);
});

t.test('where nothing was answered the share is 0 and there is no mean', async (t) => {
  const [first] = tally(0, 0).backends;
  t.equal(first && shareOf(tally(0, 0), first), 0);
  t.equal(first && meanMs(first), null);
});

t.test('what happened since an earlier tally is the difference', async (t) => {
  const recent = tallySince(tally(30, 10, 2), tally(20, 10, 1));
  t.same(recent.backends, [
    { name: 'fast', answered: 10, totalMs: 200 },
    { name: 'slow', answered: 0, totalMs: 0 },
  ]);
  t.equal(recent.failed, 1);
  t.same(
    tallySince(tally(3, 1), NOTHING_YET),
    tally(3, 1),
    'before the first one there was nothing',
  );
});
