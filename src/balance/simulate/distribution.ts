/** How long sessions take: distributions by their mean, from short-tailed to long-tailed. */
import { unreachable } from '../../core/assert.js';
import type { Random } from '../../core/random.js';

export const DISTRIBUTIONS = ['exponential', 'lognormal', 'pareto', 'fixed'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** Of the logarithm; the 99th percentile is 6 times the mean. */
const LOGNORMAL_SIGMA = 1;
/** Just enough for a finite variance; the largest of 10,000 is some 50 times the mean. */
const PARETO_ALPHA = 2.1;

/** One value above 0, with the mean `meanMs`. */
export function sample(kind: Distribution, meanMs: number, random: Random): number {
  switch (kind) {
    case 'exponential':
      return -meanMs * Math.log(positive(random));
    case 'lognormal':
      return meanMs * Math.exp(LOGNORMAL_SIGMA * normal(random) - LOGNORMAL_SIGMA ** 2 / 2);
    case 'pareto': {
      const least = (meanMs * (PARETO_ALPHA - 1)) / PARETO_ALPHA;
      return least * positive(random) ** (-1 / PARETO_ALPHA);
    }
    case 'fixed':
      return meanMs;
    default:
      return unreachable(kind);
  }
}

/** Uniform in (0, 1]. */
function positive(random: Random): number {
  return 1 - random.next();
}

/** G. Box and M. Muller, "A Note on the Generation of Random Normal Deviates", 1958. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(positive(random))) * Math.cos(2 * Math.PI * random.next());
}
