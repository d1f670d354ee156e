import t from 'tap';
import { ReplayLag } from '../../../src/health/probes/replay_lag.js';

const HOUR_MS = 3_600_000;

function sample(receivedBytes: number, replayedBytes: number, transactionAgeMs: number) {
  return { streaming: true, receivedBytes, replayedBytes, transactionAgeMs };
}

t.test(
  'a replica that has replayed all it received does not lag, however old that is',
  async (t) => {
    const lag = new ReplayLag();
    t.equal(lag.atMost(sample(500, 500, HOUR_MS), 0), 0);
    t.equal(lag.atMost(sample(500, 500, Number.NaN), 2_000), 0);
  },
);

t.test('under load the age of the last transaction is the bound', async (t) => {
  const lag = new ReplayLag();
  t.equal(lag.atMost(sample(900, 500, 40), 0), 40);
});

t.test('one long transaction after a quiet hour is no lag while replay keeps up', async (t) => {
  const lag = new ReplayLag();
  t.equal(lag.atMost(sample(500, 500, HOUR_MS), 0), 0);
  for (let second = 1; second < 600; second++) {
    const received = 500 + second * 1_000;
    const told = lag.atMost(sample(received, received - 10, HOUR_MS), second * 1_000);
    t.ok(told !== null && told <= 1_000, `${told} ms after ${second} s`);
  }
});

t.test('replay that stands still lags more and more, and less once it goes on', async (t) => {
  const lag = new ReplayLag();
  t.equal(lag.atMost(sample(500, 500, HOUR_MS), 0), 0);
  t.equal(lag.atMost(sample(700, 500, HOUR_MS), 2_000), 2_000, 'since it was seen caught up');
  t.equal(lag.atMost(sample(900, 500, HOUR_MS), 4_000), 4_000);
  t.equal(lag.atMost(sample(900, 500, HOUR_MS), 6_000), 6_000);
  t.equal(lag.atMost(sample(900, 899, HOUR_MS), 8_000), 6_000, 'since the mark that is replayed');
});

t.test('a replica that lost its stream is as far behind as that is ago', async (t) => {
  const lag = new ReplayLag();
  const cut = { ...sample(500, 500, HOUR_MS), streaming: false };
  t.equal(lag.atMost(sample(500, 500, HOUR_MS), 0), 0);
  t.equal(lag.atMost(cut, 2_000), 2_000, 'not as old as its last transaction');
  t.equal(lag.atMost(cut, 9_000), 9_000);
  t.equal(lag.atMost({ ...cut, transactionAgeMs: 300 }, 12_000), 300, 'the lesser counts');
  t.equal(lag.atMost(sample(500, 500, HOUR_MS), 14_000), 0, 'and nothing once it streams again');
});

t.test('what had been received of a lost stream must be replayed too', async (t) => {
  const lag = new ReplayLag();
  const cut = { ...sample(900, 600, HOUR_MS), streaming: false };
  t.equal(lag.atMost(sample(500, 500, HOUR_MS), 0), 0);
  t.equal(lag.atMost(sample(900, 500, HOUR_MS), 2_000), 2_000);
  t.equal(lag.atMost(cut, 4_000), 4_000, 'since all was replayed');
  t.equal(lag.atMost({ ...cut, replayedBytes: 900 }, 6_000), 4_000, 'since the stream was lost');
});

t.test('where no stream was ever seen, only the age of the last transaction counts', async (t) => {
  const lag = new ReplayLag();
  const cut = { ...sample(500, 500, 7_000), streaming: false };
  t.equal(lag.atMost(cut, 0), 7_000);
  t.equal(lag.atMost({ ...cut, transactionAgeMs: Number.NaN }, 2_000), null);
  t.equal(lag.atMost(sample(Number.NaN, 500, 7_000), 4_000), 7_000, 'nor was anything received');
});

t.test('another copy of the data under the same address begins anew', async (t) => {
  const lag = new ReplayLag();
  t.equal(lag.atMost(sample(500, 500, HOUR_MS), 0), 0);
  t.equal(lag.atMost({ ...sample(300, 300, HOUR_MS), streaming: false }, 2_000), HOUR_MS);
});

t.test('a clock that runs ahead makes no negative lag', async (t) => {
  t.equal(new ReplayLag().atMost(sample(900, 500, -30), 0), 0);
});
