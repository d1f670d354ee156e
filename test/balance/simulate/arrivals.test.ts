import t from 'tap';
import {
  type ArrivalSpec,
  drawArrivals,
  MAX_ARRIVALS,
} from '../../../src/balance/simulate/arrivals.js';
import { seededRandom } from '../../../src/core/random.js';
import { seed } from '../../support/seed.js';

const SPEC: ArrivalSpec = {
  ratePerSecond: 2000,
  durationMs: 20_000,
  work: 'exponential',
  meanWorkMs: 3,
  clients: 50,
};

t.test(`sessions come at the rate, in order, from all clients (SEED=${seed})`, async (t) => {
  const arrivals = drawArrivals(SPEC, seededRandom(seed));
  t.ok(Math.abs(arrivals.count - 40_000) < 1000, `${arrivals.count} sessions`);
  t.ok(arrivals.atMs.every((atMs, i) => i === 0 || atMs >= (arrivals.atMs[i - 1] ?? 0)));
  t.ok((arrivals.atMs.at(-1) ?? 0) < SPEC.durationMs);
  t.equal(new Set(arrivals.client).size, 50);
  t.equal(arrivals.clients.length, 50);
  t.equal(new Set(arrivals.clients.map(String)).size, 50);
});

t.test('the number of sessions is limited', async (t) => {
  const flood = {
    ...SPEC,
    ratePerSecond: 1e9,
    durationMs: 1e9,
    work: 'fixed',
    clients: 1,
  } as const;
  t.equal(drawArrivals(flood, seededRandom(seed)).count, MAX_ARRIVALS);
});
