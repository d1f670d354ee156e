import t from 'tap';
import {
  backendHosts,
  CHOOSERS,
  type Chooser,
  type GrowthSample,
  nameOf,
  SIZES,
  type Size,
  turnsOf,
} from '../../benchmarks/macro/growth.js';
import { growthSection } from '../../benchmarks/macro/growth_report.js';
import { renderReport } from '../../benchmarks/macro/report.js';
import type { Results } from '../../benchmarks/macro/sample.js';
import { readSamples, writeSamples } from '../../benchmarks/macro/samples_file.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { tempFolder } from '../support/places.js';

const ROUNDS = 6;

/** The CPU of a session is `cost` of chooser and size, the same in each round. */
function samples(cost: (chooser: Chooser, size: Size) => number): GrowthSample[] {
  return Array.from({ length: ROUNDS }, (_, round) =>
    turnsOf(CHOOSERS, round).map(({ chooser, size }, turn) => ({
      ...chooser,
      ...(chooser.peer === 'sluice' ? { engine: 'uring' as const } : {}),
      backends: size,
      round,
      turn,
      // The machine is slower in every other round.
      values: { cpu: cost(chooser, size) * (1 + (round % 2)) },
      measured: {
        seconds: 1,
        count: 1,
        failures: 0,
        proxyCpuSeconds: 1,
        proxyUserShare: 0,
        busy: [],
        stolen: [],
      },
    })),
  ).flat();
}

const growing = samples(({ policy }, size) => {
  if (policy === 'adaptive' && size === 10_000) return 60;
  if (policy === 'leastconn') return 51;
  return policy === 'random(2)' ? 49 : 50;
});

t.test('every policy takes part, beside two of HAProxy', async (t) => {
  const names = CHOOSERS.map(nameOf);
  for (const policy of POLICY_NAMES) t.ok(names.includes(`sluice ${policy}`), policy);
  t.ok(names.includes('HAProxy leastconn'));
  t.ok(names.includes('HAProxy random(2)'));
});

t.test(
  'in a round each has one turn with each size, and its sizes follow each other',
  async (t) => {
    for (const round of [0, 1, 5]) {
      const turns = turnsOf(CHOOSERS, round);
      const seen = new Set(turns.map(({ chooser, size }) => `${nameOf(chooser)} ${size}`));
      t.equal(seen.size, CHOOSERS.length * SIZES.length);
      t.equal(turns.length, seen.size);
      for (let at = 0; at < turns.length; at += SIZES.length) {
        const block = turns.slice(at, at + SIZES.length).map(({ chooser }) => nameOf(chooser));
        t.equal(new Set(block).size, 1);
      }
    }
  },
);

t.test('each backend has an address of its own on this machine', async (t) => {
  const hosts = backendHosts(10_000);
  t.equal(new Set(hosts).size, 10_000);
  for (const host of hosts) {
    if (!/^127\.1\.\d{1,3}\.\d{1,3}$/.test(host)) t.fail(host);
  }
});

t.test('growth is a ratio within rounds, and what is not as wanted is listed', async (t) => {
  const text = growthSection(growing);
  t.match(text, /\| sluice p2c +\| 75.0 \| 75.0 \| +75.0 \| +75.0 \| 1.00 \(1.00–1.00\) \|/);
  t.match(text, /\| HAProxy leastconn +\| .* 1.00 \(1.00–1.00\) \| +\| +\|/);
  t.match(text, '- sluice adaptive: grows by 1.20 (1.20–1.20), missed');
  t.match(text, '- sluice p2c: ÷ HAProxy random(2) 1.02 (1.02–1.02), missed');
  t.notMatch(text, /sluice p2c: ÷ HAProxy leastconn/);
  t.notMatch(text, /NaN|undefined|Infinity/);
  t.equal(growthSection([]), '');
  t.match(growthSection(samples(({ peer }) => (peer === 'sluice' ? 9 : 10))), /All of it is so/);
});

t.test('samples of growth are kept, and the report is made from them', async (t) => {
  const results: Results = {
    environment: {
      date: '2026-01-01 00:00',
      cpu: 'a CPU',
      cores: 2,
      memoryGiB: 1,
      kernel: '6.1',
      loadAverage: 0,
      versions: {},
      sysctl: {},
    },
    pace: 'full',
    rounds: ROUNDS,
    samples: [],
    growth: growing,
    absences: [],
    notes: {},
  };
  const folder = tempFolder(t);
  writeSamples(folder, results);
  t.same(readSamples(folder), results);
  const report = renderReport(readSamples(folder));
  t.match(report, growthSection(growing));
  t.match(report, 'sluice `uring`, 1 worker ÷ the other', 'growth alone says which engine it was');
});
