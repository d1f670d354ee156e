import t from 'tap';
import { Figures } from '../../benchmarks/macro/compare.js';
import { judge } from '../../benchmarks/macro/goals.js';
import type { PeerName } from '../../benchmarks/macro/peers.js';
import type { Sample } from '../../benchmarks/macro/sample.js';
import { ratioText, standing } from '../../benchmarks/macro/wording.js';

function samples(peer: PeerName, rates: readonly number[]): Sample[] {
  return rates.map((rate, round) => ({
    case: 'rr64',
    peer,
    round,
    turn: 0,
    values: { rate },
    measured: null,
  }));
}

const ratioOf = (ours: readonly number[], theirs: readonly number[]) =>
  new Figures([...samples('uring', ours), ...samples('haproxy', theirs)]).ratio(
    'rr64',
    'rate',
    'uring',
    'haproxy',
  );

t.test('a ratio is that of each round, not of the medians', async (t) => {
  const ratio = ratioOf([20, 200, 2000], [10, 100, 1000]);
  t.equal(ratio?.median, 2);
  t.equal(ratio?.samples, 3);
  t.equal(ratio?.interval, null);
});

t.test('a round that one of them has missed does not count', async (t) => {
  t.equal(ratioOf([20, 30], [10])?.samples, 1);
  t.equal(ratioOf([20], [0]), null, 'nor does one in which nothing was done');
  t.equal(ratioOf([], [1]), null);
});

t.test('what the interval does not show is no difference', async (t) => {
  const ours = [10, 10, 10, 10, 10, 10];
  const shown = ratioOf(ours, [8, 8, 8, 8, 9, 9]);
  const unclear = ratioOf(ours, [8, 8, 8, 8, 8, 11]);
  t.equal(shown && standing('more', shown), 'ahead');
  t.equal(shown && standing('less', shown), 'behind');
  t.equal(unclear && standing('more', unclear), 'no difference');
  t.equal(shown && ratioText(shown), '1.25 (1.11–1.25)');
  const few = ratioOf([10], [1]);
  t.equal(few && standing('more', few), 'no difference');
  t.equal(few && ratioText(few), '10.00 (?)');
});

t.test('a goal is met or missed by the whole interval only', async (t) => {
  const ratio = { median: 1.2, interval: { low: 1.1, high: 1.3 }, samples: 7 };
  t.equal(judge({ kind: 'at-least', ratio: 1.1 }, ratio), 'met');
  t.equal(judge({ kind: 'at-least', ratio: 1.2 }, ratio), 'not shown');
  t.equal(judge({ kind: 'at-least', ratio: 1.31 }, ratio), 'missed');
  t.equal(judge({ kind: 'at-most', ratio: 1.3 }, ratio), 'met');
  t.equal(judge({ kind: 'at-most', ratio: 1.2 }, ratio), 'not shown');
  t.equal(judge({ kind: 'at-most', ratio: 1 }, ratio), 'missed');
  t.equal(judge({ kind: 'at-most', ratio: 9 }, { ...ratio, interval: null }), 'not shown');
});
