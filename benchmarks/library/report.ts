/** The report, from samples alone. */
import { number, ratioText, standing } from '../macro/wording.js';
import { markdownTable } from '../support/markdown.js';
import { type Estimate, estimate } from '../support/statistics.js';
import { PEERS, type PeerName } from './messages.js';
import { CASE_NAMES, CASES, type CaseName, type Results, type Sample } from './samples.js';

type Figure = 'perSecond' | 'cpuMicros' | 'p50Ms' | 'p99Ms';

interface Shown {
  readonly figure: Figure;
  readonly title: string;
  readonly digits: number;
  readonly better: 'more' | 'less';
}

const RATE: Shown = { figure: 'perSecond', title: 'per second', digits: 0, better: 'more' };
const CPU: Shown = { figure: 'cpuMicros', title: 'CPU, µs each', digits: 1, better: 'less' };
const P50: Shown = { figure: 'p50Ms', title: 'p50, ms', digits: 3, better: 'less' };
const P99: Shown = { figure: 'p99Ms', title: 'p99, ms', digits: 2, better: 'less' };

const SHOWN: Readonly<Record<CaseName, readonly Shown[]>> = {
  throughput: [RATE, CPU],
  latency: [P50, CPU],
  slow: [P50, P99, CPU],
};

/** Those that are ours: the others are what one would take instead. */
const OURS: ReadonlySet<PeerName> = new Set([
  'connector',
  'execute',
  'execute-latency',
  'execute-adaptive',
  'execute-hedge',
]);

const THROUGHPUT_GOAL = 0.97;

export function renderReport(results: Results): string {
  const { rounds, machine, date, loadAverage } = results;
  const ratios = `of the rounds' ratios, with an interval that holds it with 95 % or more`;
  return `# The library beside undici

Made by \`node dist/benchmarks/library/main.js\`; the method stands in
[benchmarks/README.md](../README.md). ${date}, ${machine}; load average before: ${loadAverage.toFixed(2)}.
${rounds} rounds, in turns; medians, and the median ${ratios}. CPU is that of the application and, where
it is in between, of the daemon.

${goals(results)}
${CASE_NAMES.map((name) => `## ${CASES[name].question}\n\n${tableOf(results, name)}\n`).join('\n')}
## After an outage of both of two backends

One is back 8 s before the other; a request every 20 ms or so. Counts of one run each, with the default
intervals of probes.

${outageTable(results)}

## Where the library loses

${losses(results)}
`;
}

function goals(results: Results): string {
  const rows = (['connector', 'execute'] as const).map((peer) => {
    const ratio = ratioOf(results, 'throughput', peer, RATE.figure);
    const verdict = ratio.median >= THROUGHPUT_GOAL ? 'met' : 'missed';
    return [PEERS[peer], `≥ ${THROUGHPUT_GOAL}`, ratioText(ratio), verdict];
  });
  return `${markdownTable([['requests per second, beside `Pool`', 'goal', 'found', ''], ...rows])}\n`;
}

function tableOf(results: Results, name: CaseName): string {
  const { peers, reference } = CASES[name];
  const shown = SHOWN[name];
  const head = ['', ...shown.flatMap(({ title }) => [title, `× ${PEERS[reference]}`])];
  const failed = peers.some((peer) => sum(of(results, name, peer), 'failed') > 0);
  const rows = peers.map((peer) => {
    const cells = shown.flatMap((one) => {
      const { median } = figures(results, name, peer, one.figure);
      const ratio = ratioOf(results, name, peer, one.figure);
      return [number(median, one.digits), peer === reference ? '' : told(one, ratio)];
    });
    const count = failed ? [number(sum(of(results, name, peer), 'failed'), 0)] : [];
    return [PEERS[peer], ...cells, ...count];
  });
  return markdownTable([[...head, ...(failed ? ['failed'] : [])], ...rows]);
}

function told({ better }: Shown, ratio: Estimate): string {
  const where = standing(better, ratio);
  return where === 'no difference' ? ratioText(ratio) : `${ratioText(ratio)} **${where}**`;
}

function outageTable({ outages }: Results): string {
  const head = ['', 'back first', 'served after, s', 'failed then', 'share of the last one'];
  const rows = outages.map(({ peer, first, servedAfterMs, failed, of, shareOfLast }) => [
    PEERS[peer],
    first === 1 ? 'the first listed' : 'the second listed',
    servedAfterMs === null ? 'not at all' : (servedAfterMs / 1_000).toFixed(1),
    of === 0 ? '' : `${failed} of ${of}`,
    `${(100 * shareOfLast).toFixed(0)} %`,
  ]);
  return markdownTable([head, ...rows]);
}

/** Everything in which the whole interval is on the wrong side of what it is beside. */
function losses(results: Results): string {
  const lines = CASE_NAMES.flatMap((name) => {
    const { peers, reference } = CASES[name];
    return peers
      .filter((peer) => OURS.has(peer))
      .flatMap((peer) =>
        SHOWN[name].flatMap((shown) => {
          const ratio = ratioOf(results, name, peer, shown.figure);
          if (standing(shown.better, ratio) !== 'behind') return [];
          return [
            `- ${name}, ${shown.title}: ${PEERS[peer]} ${ratioText(ratio)} × ${PEERS[reference]}`,
          ];
        }),
      );
  });
  return lines.length === 0 ? 'Nowhere in what is measured here.' : lines.join('\n');
}

function ratioOf(results: Results, name: CaseName, peer: PeerName, figure: Figure): Estimate {
  const beside = new Map(
    of(results, name, CASES[name].reference).map((sample) => [sample.round, sample[figure]]),
  );
  return estimate(
    of(results, name, peer).map(
      (sample) => sample[figure] / (beside.get(sample.round) ?? Number.NaN),
    ),
  );
}

function figures(results: Results, name: CaseName, peer: PeerName, figure: Figure): Estimate {
  return estimate(of(results, name, peer).map((sample) => sample[figure]));
}

function of({ samples }: Results, name: CaseName, peer: PeerName): readonly Sample[] {
  return samples.filter((sample) => sample.case === name && sample.peer === peer);
}

function sum(samples: readonly Sample[], figure: 'failed'): number {
  return samples.reduce((total, sample) => total + sample[figure], 0);
}
