/**
 * What sluice wants to reach against its peers, and whether the intervals of the ratios show that
 * it does.
 */
import type { Estimate } from '../support/statistics.js';
import type { CaseName } from './case_names.js';
import type { MeasureName } from './measures.js';
import type { PeerName } from './peers.js';

export interface Goal {
  readonly case: CaseName;
  readonly measure: MeasureName;
  readonly against: PeerName;
  /** Of the ratio sluice ÷ peer. */
  readonly bound: { readonly kind: 'at-least' | 'at-most'; readonly ratio: number };
}

function goal(
  name: CaseName,
  measure: MeasureName,
  against: PeerName,
  kind: 'at-least' | 'at-most',
  ratio: number,
): Goal {
  return { case: name, measure, against, bound: { kind, ratio } };
}

const BULK = ['bulk-up', 'bulk-down', 'bulk-both'] as const;

export const GOALS: readonly Goal[] = [
  goal('rr64', 'cpu', 'haproxy', 'at-most', 0.85),
  goal('rr64', 'rate', 'haproxy', 'at-least', 1.2),
  goal('rr64', 'rate', 'nginx', 'at-least', 1.3),
  goal('rr16k', 'rate', 'haproxy', 'at-least', 1.1),
  goal('connect', 'rate', 'haproxy', 'at-least', 1),
  goal('connect', 'cpu', 'haproxy', 'at-most', 0.92),
  goal('sni', 'rate', 'haproxy', 'at-least', 1),
  goal('refuse', 'rate', 'haproxy', 'at-least', 1),
  goal('pgbench-c', 'rate', 'aware', 'at-most', 1 / 0.97),
  ...BULK.flatMap((name) => [
    goal(name, 'megabytes', 'haproxy-splice', 'at-least', 1.2),
    goal(name, 'cpuMegabyte', 'haproxy-splice', 'at-most', 0.85),
  ]),
  goal('udp64', 'rate', 'nginx', 'at-least', 1.35),
  goal('latency1', 'p50', 'haproxy', 'at-most', 1),
  goal('p999', 'p999', 'haproxy', 'at-most', 1),
  goal('held', 'memory', 'haproxy', 'at-most', 1),
];

export type Verdict = 'met' | 'missed' | 'not shown';

/** `met` and `missed` only if the whole interval says so. */
export function judge(bound: Goal['bound'], ratio: Estimate): Verdict {
  if (ratio.interval === null) return 'not shown';
  const { low, high } = ratio.interval;
  if (bound.kind === 'at-least') {
    if (low >= bound.ratio) return 'met';
    return high < bound.ratio ? 'missed' : 'not shown';
  }
  if (high <= bound.ratio) return 'met';
  return low > bound.ratio ? 'missed' : 'not shown';
}
