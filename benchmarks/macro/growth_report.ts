/** The section of the report on `growth`: a table, and what was wanted and is not so. */
import { markdownTable } from '../support/markdown.js';
import { type Estimate, estimate } from '../support/statistics.js';
import { judge } from './goals.js';
import { CHOOSERS, type Chooser, GROWTH, type GrowthSample, nameOf, SIZES } from './growth.js';
import { number, ratioText } from './wording.js';

const LEAST = Math.min(...SIZES);
const MOST = Math.max(...SIZES);
/** A session among the most backends ÷ one among the fewest. */
const GROWS_AT_MOST = { kind: 'at-most', ratio: 1.1 } as const;
/** ÷ HAProxy's, whichever way it chooses. */
const COSTS_AT_MOST = { kind: 'at-most', ratio: 1 } as const;

/** Empty when nothing was measured. */
export function growthSection(samples: readonly GrowthSample[]): string {
  const figures = new GrowthFigures(samples);
  const present = CHOOSERS.filter((chooser) => figures.of(chooser, MOST) !== null);
  if (present.length === 0) return '';
  const rivals = present.filter(({ peer }) => peer === 'haproxy');
  const size = (count: number): string => number(count, 0);
  const head = [
    'CPU of the proxy, µs per connection',
    ...SIZES.map(size),
    `${size(MOST)} ÷ ${size(LEAST)}`,
    ...rivals.map((rival) => `÷ ${nameOf(rival)} at ${size(MOST)}`),
  ];
  const rows = present.map((chooser) => [
    nameOf(chooser),
    ...SIZES.map((count) => medianText(figures.of(chooser, count))),
    orNothing(figures.growth(chooser)),
    ...rivals.map((rival) =>
      chooser.peer === 'sluice' ? orNothing(figures.ratio(chooser, rival, MOST)) : '',
    ),
  ]);
  const losses = present.flatMap((chooser) => lossesOf(figures, chooser, rivals));
  return [
    `## ${GROWTH}`,
    `As \`connect\`, in front of one pool of ${SIZES.map(size).join(', ')} backends; clients have
4,096 addresses. Wanted of sluice: a session among ${size(MOST)} backends costs at most
${GROWS_AT_MOST.ratio} × one among ${size(LEAST)}, and no more than HAProxy's.`,
    markdownTable([head, ...rows]),
    losses.length === 0 ? 'All of it is so.' : `Not so, or not shown:\n\n${losses.join('\n')}`,
  ].join('\n\n');
}

function lossesOf(
  figures: GrowthFigures,
  chooser: Chooser,
  rivals: readonly Chooser[],
): readonly string[] {
  if (chooser.peer !== 'sluice') return [];
  const asked = [
    { what: 'grows by', ratio: figures.growth(chooser), bound: GROWS_AT_MOST },
    ...rivals.map((rival) => ({
      what: `÷ ${nameOf(rival)}`,
      ratio: figures.ratio(chooser, rival, MOST),
      bound: COSTS_AT_MOST,
    })),
  ];
  return asked.flatMap(({ what, ratio, bound }) => {
    const verdict = ratio === null ? 'not shown' : judge(bound, ratio);
    if (verdict === 'met') return [];
    return [`- ${nameOf(chooser)}: ${what} ${orNothing(ratio)}, ${verdict}`];
  });
}

class GrowthFigures {
  readonly #byRound = new Map<string, Map<number, number>>();

  constructor(samples: readonly GrowthSample[]) {
    for (const sample of samples) {
      const { cpu } = sample.values;
      if (cpu === undefined || !Number.isFinite(cpu)) continue;
      const key = keyOf(sample, sample.backends);
      const rounds = this.#byRound.get(key) ?? new Map<number, number>();
      rounds.set(sample.round, cpu);
      this.#byRound.set(key, rounds);
    }
  }

  of(chooser: Chooser, backends: number): Estimate | null {
    const rounds = this.#byRound.get(keyOf(chooser, backends));
    return rounds === undefined ? null : estimate([...rounds.values()]);
  }

  growth(chooser: Chooser): Estimate | null {
    return this.#paired(keyOf(chooser, MOST), keyOf(chooser, LEAST));
  }

  ratio(chooser: Chooser, rival: Chooser, backends: number): Estimate | null {
    return this.#paired(keyOf(chooser, backends), keyOf(rival, backends));
  }

  /** Within each round that both have. */
  #paired(one: string, other: string): Estimate | null {
    const others = this.#byRound.get(other);
    const ratios = [...(this.#byRound.get(one) ?? [])].flatMap(([round, value]) => {
      const against = others?.get(round);
      return against === undefined ? [] : [value / against];
    });
    return ratios.length === 0 ? null : estimate(ratios);
  }
}

function keyOf({ peer, policy }: Chooser, backends: number): string {
  return `${peer} ${policy} ${backends}`;
}

function medianText(value: Estimate | null): string {
  return value === null ? '–' : number(value.median, 1);
}

function orNothing(ratio: Estimate | null): string {
  return ratio === null ? '–' : ratioText(ratio);
}
