import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CaseName } from '../../benchmarks/macro/case_names.js';
import type { Values } from '../../benchmarks/macro/measures.js';
import type { PeerName } from '../../benchmarks/macro/peers.js';
import { renderFigures, withTable } from '../../benchmarks/macro/readme_table.js';
import { renderReport } from '../../benchmarks/macro/report.js';
import type { Results, Sample } from '../../benchmarks/macro/sample.js';
import { readSamples } from '../../benchmarks/macro/samples_file.js';
import { readText } from '../repo/support/tree.js';
import { repositoryRoot } from '../support/repository.js';

const ROUNDS = 6;
const PUBLISHED = 'benchmarks/results';
const REPORT = 'report';

function rounds(name: CaseName, peer: PeerName, values: Values): Sample[] {
  return Array.from({ length: ROUNDS }, (_, round) => ({
    case: name,
    peer,
    round,
    turn: 0,
    values,
    measured: null,
  }));
}

const results: Results = {
  environment: {
    date: '2026-01-01 00:00',
    cpu: 'a CPU',
    cores: 2,
    memoryGiB: 4,
    kernel: '6.18',
    loadAverage: 0.1,
    versions: { HAProxy: '2.6' },
    sysctl: {},
  },
  pace: 'full',
  rounds: ROUNDS,
  samples: [
    ...rounds('rr64', 'direct', { rate: 100_000 }),
    ...rounds('rr64', 'haproxy', { rate: 60_000, cpu: 13 }),
    ...rounds('rr64', 'uring', { rate: 90_000, cpu: 10 }),
    ...rounds('connect', 'haproxy', { rate: 12_000, cpu: 60 }),
    ...rounds('connect', 'uring', { rate: 11_000, cpu: 60 }),
  ],
  absences: [{ case: 'rr64', peer: 'nginx', sentence: 'nginx is not installed' }],
  notes: { rr64: 'Something was found out' },
};

t.test('a report has goals, losses, figures, and the peers that were not measured', async (t) => {
  const report = renderReport(results);
  t.match(report, /rr64: rate +\| +HAProxy, 1 thread \| ≥ 1.20 \| 1.50 \(1.50–1.50\) \| +met \|/);
  t.match(report, /connect: rate +\| .* \| 0.92 \(0.92–0.92\) \| +missed \|/);
  t.match(report, /## Where sluice is behind\n\n- connect, rate: 0.92 \(0.92–0.92\) × HAProxy/);
  t.match(report, /\| HAProxy, 1 thread +\| +60,000 \| +1.50 \(1.50–1.50\) \*\*ahead\*\* \|/);
  t.match(report, /\| no proxy +\| +100,000 \| +0.90 \(0.90–0.90\) \| +\| +\|/);
  t.match(report, /\| sluice `uring`, 1 worker \| +90,000 \| +\| +10.00 \| +\|/);
  t.match(report, 'Something was found out.');
  t.match(report, /## Not measured\n\n- rr64, nginx: nginx is not installed/);
  t.notMatch(report, /NaN|undefined|Infinity/);
});

t.test('the table goes between its marks, and only there', async (t) => {
  const text = 'before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n';
  const made = withTable(text, results) ?? '';
  t.equal(made, text.replace('old', renderFigures(results)));
  t.equal(withTable(made, results), made, 'twice is once');
  t.equal(withTable('no marks', results), null);
  t.match(made, /\| +60,000 \| +– \| 90,000 \| +1.50 \(1.50–1.50\) ahead \| +– \|/);
});

t.test('what is published is what its samples say', async (t) => {
  if (!existsSync(join(repositoryRoot, PUBLISHED, 'samples.json'))) {
    t.notOk(
      existsSync(join(repositoryRoot, PUBLISHED, `${REPORT}.md`)),
      'no report without samples',
    );
    return;
  }
  const published = readSamples(join(repositoryRoot, PUBLISHED));
  t.equal(readText(`${PUBLISHED}/${REPORT}.md`), renderReport(published));
  const readme = readText('README.md');
  const table = withTable(readme, published);
  if (table !== null) t.equal(readme, table);
});
