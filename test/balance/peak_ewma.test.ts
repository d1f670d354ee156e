import t from 'tap';
import { peakEwma } from '../../src/balance/peak_ewma.js';

t.test('a peak counts at once', async (t) => {
  t.equal(peakEwma(10, 500, 1, 10_000), 500);
});

t.test('a fall counts by the time that passed', async (t) => {
  t.equal(peakEwma(500, 10, 0, 10_000), 500);
  t.ok(Math.abs(peakEwma(500, 100, 10_000, 10_000) - (100 + 400 / Math.E)) < 1e-9);
  t.ok(peakEwma(500, 10, 1_000_000, 10_000) < 10.01);
});

t.test('without news a value fades to nothing', async (t) => {
  t.ok(Math.abs(peakEwma(500, 0, 20_000, 10_000) - 500 / Math.E ** 2) < 1e-9);
});

t.test('a clock of another thread that is a little behind does no harm', async (t) => {
  t.equal(peakEwma(500, 10, -5, 10_000), 500);
});
