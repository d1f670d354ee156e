/** Figures as text. */
import type { Estimate } from '../support/statistics.js';

/** `12,345` or `0.31`. */
export function number(value: number, digits: number): string {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** `1.31 (1.25–1.38)`; too few samples have no interval. */
export function ratioText({ median, interval }: Estimate): string {
  if (interval === null) return `${median.toFixed(2)} (?)`;
  return `${median.toFixed(2)} (${interval.low.toFixed(2)}–${interval.high.toFixed(2)})`;
}

/** Where the first of a ratio stands: only what the whole interval shows. */
export function standing(
  better: 'more' | 'less',
  { interval }: Estimate,
): 'ahead' | 'behind' | 'no difference' {
  if (interval === null || (interval.low <= 1 && interval.high >= 1)) return 'no difference';
  return interval.low > 1 === (better === 'more') ? 'ahead' : 'behind';
}
