import t from 'tap';
import { DISTRIBUTIONS, sample } from '../../../src/balance/simulate/distribution.js';
import { seededRandom } from '../../../src/core/random.js';
import { seed } from '../../support/seed.js';

const SAMPLES = 200_000;
/** A single value of pareto may be a tenth of all; what is above this is 0.2 % of its mean. */
const MOST_MS = 1_000;

function draw(kind: (typeof DISTRIBUTIONS)[number]): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: SAMPLES }, () => sample(kind, 10, random)).sort();
}

t.test(`each distribution has its mean, and is above 0 (SEED=${seed})`, async (t) => {
  for (const kind of DISTRIBUTIONS) {
    const values = draw(kind);
    const mean = values.reduce((sum, value) => sum + Math.min(value, MOST_MS), 0) / SAMPLES;
    // Ten standard errors or more.
    t.ok(Math.abs(mean / 10 - 1) < 0.03, `${kind}: ${mean}`);
    t.ok((values[0] ?? 0) >= 0, kind);
  }
});

t.test(`their medians are those of theory (SEED=${seed})`, async (t) => {
  const medians = {
    exponential: 10 * Math.LN2,
    lognormal: 10 * Math.exp(-0.5),
    pareto: ((10 * 1.1) / 2.1) * 2 ** (1 / 2.1),
    fixed: 10,
  };
  for (const kind of DISTRIBUTIONS) {
    const found = draw(kind)[SAMPLES / 2] ?? 0;
    t.ok(Math.abs(found / medians[kind] - 1) < 0.02, `${kind}: ${found} for ${medians[kind]}`);
  }
});
