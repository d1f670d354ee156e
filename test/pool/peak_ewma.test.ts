import t from 'tap';
import { DECAY_MS } from '../../src/balance/peak_ewma.js';
import { PeakEwma } from '../../src/pool/peak_ewma.js';

t.test('a member without samples is unknown: 0', async (t) => {
  t.equal(new PeakEwma(2).valueAt(1, 1_000_000), 0);
});

t.test('a peak counts at once, and a fall only with time', async (t) => {
  const latency = new PeakEwma(1);
  latency.observe(0, 10, 1000);
  latency.observe(0, 500, 1001);
  t.equal(latency.valueAt(0, 1001), 500);
  latency.observe(0, 10, 1001);
  t.equal(latency.valueAt(0, 1001), 500);
  latency.observe(0, 10, 1001 + 20 * DECAY_MS);
  t.ok(latency.valueAt(0, 1001 + 20 * DECAY_MS) < 10.1);
});

t.test('a backend that is avoided fades, until it is better than one in use', async (t) => {
  const latency = new PeakEwma(2);
  latency.observe(0, 400, 0);
  for (let nowMs = 0; nowMs <= 6 * DECAY_MS; nowMs += 100) latency.observe(1, 5, nowMs);
  const avoided = latency.valueAt(0, 6 * DECAY_MS);
  const used = latency.valueAt(1, 6 * DECAY_MS);
  t.equal(used, 5);
  t.ok(avoided > 0 && avoided < used, `${avoided}`);
});

t.test('what is known moves with the member', async (t) => {
  const before = new PeakEwma(2);
  before.observe(1, 40, 1000);
  const after = new PeakEwma(3);
  after.adopt(2, before, 1);
  t.same(
    [0, 1, 2].map((member) => after.valueAt(member, 1000)),
    [0, 0, 40],
  );
  t.equal(after.valueAt(2, 5000), before.valueAt(1, 5000));
});
