import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { PeerName } from '../../benchmarks/library/messages.js';
import { renderReport } from '../../benchmarks/library/report.js';
import {
  CASE_NAMES,
  CASES,
  type CaseName,
  type Results,
  type Sample,
} from '../../benchmarks/library/samples.js';
import { readSamples, writeSamples } from '../../benchmarks/library/samples_file.js';
import { readText } from '../repo/support/tree.js';
import { tempFolder } from '../support/places.js';
import { repositoryRoot } from '../support/repository.js';

const ROUNDS = 9;
const PUBLISHED = 'benchmarks/results';
const FIGURES = { perSecond: 20_000, cpuMicros: 50, p50Ms: 1, p99Ms: 4, failed: 0 };

/** As fast as its reference, but for the figures in `told`. */
function rounds(name: CaseName, peer: PeerName, told: Partial<typeof FIGURES> = {}): Sample[] {
  return Array.from({ length: ROUNDS }, (_, round) => {
    // The machine is slower in every other round: that is in no ratio.
    const slower = 1 + (round % 2);
    const { perSecond, cpuMicros, p50Ms, p99Ms, failed } = { ...FIGURES, ...told };
    return {
      case: name,
      peer,
      round,
      turn: 0,
      perSecond: perSecond / slower,
      cpuMicros: cpuMicros * slower,
      p50Ms: p50Ms * slower,
      p99Ms: p99Ms * slower,
      failed,
    };
  });
}

const TOLD: Partial<Record<`${CaseName} ${PeerName}`, Partial<typeof FIGURES>>> = {
  'throughput connector': { perSecond: 19_800, cpuMicros: 51 },
  'throughput execute': { perSecond: 19_000, cpuMicros: 52.5 },
  'throughput daemon': { perSecond: 10_000 },
  'slow execute': { p99Ms: 2 },
  'slow connector': { failed: 3 },
};

const results: Results = {
  date: '2026-01-01',
  machine: '2 × a CPU',
  loadAverage: 0.1,
  rounds: ROUNDS,
  samples: CASE_NAMES.flatMap((name) =>
    CASES[name].peers.flatMap((peer) => rounds(name, peer, TOLD[`${name} ${peer}`])),
  ),
  outages: [
    { peer: 'balanced', first: 2, servedAfterMs: null, failed: 0, of: 0, shareOfLast: 1 },
    { peer: 'execute', first: 1, servedAfterMs: 5_210, failed: 2, of: 90, shareOfLast: 0.497 },
  ],
};

t.test('a report has the goals, each case with its reference, and the losses', async (t) => {
  const report = renderReport(results);
  t.match(report, /undiciConnector`, p2c +\| ≥ 0.97 \| 0.99 \(0.99–0.99\) \| +met \|/);
  t.match(report, /with a `Pool` each, p2c +\| ≥ 0.97 \| 0.95 \(0.95–0.95\) \| missed \|/);
  t.match(report, /`Pool` at the daemon, p2c +\| +10,000 \| +0.50 \(0.50–0.50\) \*\*behind\*\*/);
  t.match(
    report,
    /undici's `Pool` at one backend +\| +20,000 \| +\|/,
    'the reference has no ratio',
  );
  t.match(report, /p2c +\| +1.000 \|.*\| +2.00 \| 0.50 \(0.50–0.50\) \*\*ahead\*\* \|/);
  const losses = report.split('## Where the library loses')[1] ?? '';
  t.match(losses, /- throughput, per second: `execute` with a .* 0.95 \(0.95–0.95\) × undici's/);
  t.notMatch(losses, 'daemon', 'that is not the library');
  t.notMatch(report, /NaN|undefined|Infinity/);
});

t.test('requests that failed are shown where there were any', async (t) => {
  const [throughput = '', slow = ''] = CASE_NAMES.filter((name) => name !== 'latency').map(
    (name) => renderReport(results).split(CASES[name].question)[1]?.split('## ')[0] ?? '',
  );
  t.notMatch(throughput, 'failed');
  t.match(slow, /failed \|\n/);
  t.match(slow, /undiciConnector`, p2c .* 27 \|\n/);
});

t.test('an outage says which requests were served, and how even the load was again', async (t) => {
  const report = renderReport(results);
  t.match(report, /BalancedPool` +\| the second listed \| +not at all \| +\| +100 % \|/);
  t.match(report, /p2c \| +the first listed \| +5.2 \| +2 of 90 \| +50 % \|/);
});

t.test('too few rounds claim nothing', async (t) => {
  const few = { ...results, samples: results.samples.filter(({ round }) => round < 3) };
  const report = renderReport(few);
  t.match(report, /0.95 \(\?\)/);
  t.notMatch(report, /\*\*(ahead|behind)\*\*/);
  t.match(report, /## Where the library loses\n\nNowhere in what is measured here\./);
});

t.test('samples are read as they were written, one a line', async (t) => {
  const folder = tempFolder(t);
  writeSamples(folder, results);
  t.same(readSamples(folder), results);
});

t.test('what is published is what its samples say', async (t) => {
  const published = join(repositoryRoot, PUBLISHED);
  const isMeasured = existsSync(join(published, 'library.json'));
  t.equal(existsSync(join(published, 'library.md')), isMeasured, 'both, or neither');
  if (!isMeasured) return;
  t.equal(readText(`${PUBLISHED}/library.md`), renderReport(readSamples(published)));
});

t.test('the machine has all its cores, on however few of them this process may run', async (t) => {
  const program = pathToFileURL(join(repositoryRoot, 'dist/benchmarks/support/machine.js'));
  const script = `import('${program}').then((m) => console.log(m.describeMachine()))`;
  const words = ['-c', '0', process.execPath, '-e', script];
  const told = execFileSync('taskset', words, { encoding: 'utf8' });
  t.ok(told.startsWith(`${cpus().length} × `), told);
});
