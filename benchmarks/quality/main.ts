/**
 * How well does each policy balance? Every workload is simulated with several seeds, all policies
 * through the same sessions; the figures are reproducible to the last digit. Run:
 * `node dist/benchmarks/quality/main.js`
 */
import { comparePolicies, type PolicyReport } from '../../src/balance/simulate/compare.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { policyNamed } from '../../test/support/policies.js';
import { markdownTable, spread } from '../support/markdown.js';
import { WORKLOADS, type Workload } from './workloads.js';

const SEEDS = [1, 2, 3, 4, 5];

type Column = readonly [title: string, digits: number, pick: (report: PolicyReport) => number];

const IMBALANCE: Column = ['imbalance', 2, (report) => report.imbalance];
const WAITS: readonly Column[] = [
  ['p50 ms', 1, (report) => report.p50Ms],
  ['p99 ms', 1, (report) => report.p99Ms],
  IMBALANCE,
  ['failed dials', 0, (report) => report.failedDials],
];

const POLICIES = POLICY_NAMES.map((name) => policyNamed(name));

process.stdout.write(
  `Median (least–greatest) of ${SEEDS.length} seeds. Times are from arrival to end. Imbalance is the\n` +
    'greatest load a unit of weight over the mean one: 1 is perfectly even.\n',
);
for (const workload of WORKLOADS) {
  process.stdout.write(`\n**${workload.question}**\n\n${measure(workload)}\n`);
}

function measure({ scenario }: Workload): string {
  const scenarios = SEEDS.map(scenario);
  const runs = scenarios.map((each, at) => comparePolicies(each, POLICIES, SEEDS[at] ?? 0));
  // Where no session waits for a slot, every policy has the same times.
  const columns = scenarios.some((each) => each.slots > 0) ? WAITS : [IMBALANCE];
  const rows = POLICY_NAMES.map((policy) => {
    const reports = runs.flatMap((run) => run.filter((report) => report.policy === policy));
    return [policy, ...columns.map(([, digits, pick]) => spread(reports.map(pick), digits))];
  });
  return markdownTable([['policy', ...columns.map(([title]) => title)], ...rows]);
}
