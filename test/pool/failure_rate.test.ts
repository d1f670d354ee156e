import t from 'tap';
import { DECAY_MS } from '../../src/balance/peak_ewma.js';
import { FailureRate } from '../../src/pool/failure_rate.js';

t.test('it moves towards what happens, session by session', async (t) => {
  const rate = new FailureRate(2);
  rate.observe(0, 1, 1000);
  t.equal(rate.valueAt(0, 1000), 0.1);
  t.equal(rate.valueAt(1, 1000), 0);
  for (let session = 0; session < 60; session++) rate.observe(0, 1, 1000);
  t.ok(rate.valueAt(0, 1000) > 0.99);
  for (let session = 0; session < 60; session++) rate.observe(0, 0, 1000);
  t.ok(rate.valueAt(0, 1000) < 0.01);
});

t.test('without sessions it fades, so that an avoided backend is tried again', async (t) => {
  const rate = new FailureRate(1);
  for (let session = 0; session < 60; session++) rate.observe(0, 1, 0);
  t.ok(rate.valueAt(0, 4 * DECAY_MS) < 0.02);
});

t.test('a clock of another thread that is a little behind does no harm', async (t) => {
  const rate = new FailureRate(1);
  rate.observe(0, 1, 1000);
  t.equal(rate.valueAt(0, 990), 0.1);
});

t.test('what is known moves with the member', async (t) => {
  const before = new FailureRate(2);
  before.observe(1, 1, 1000);
  const after = new FailureRate(3);
  after.adopt(0, before, 1);
  t.same(
    [0, 1, 2].map((member) => after.valueAt(member, 1000)),
    [0.1, 0, 0],
  );
});
