/** The report: every figure of a run as Markdown, made from the samples alone. */
import { markdownTable } from '../support/markdown.js';
import type { Estimate } from '../support/statistics.js';
import type { CaseName } from './case_names.js';
import { caseOf, unitOf } from './cases.js';
import { Figures } from './compare.js';
import { describeEnvironment } from './describe_environment.js';
import { GOALS, judge } from './goals.js';
import { growthSection } from './growth_report.js';
import { MEASURES, type MeasureName } from './measures.js';
import { PEERS, type PeerName } from './peers.js';
import type { Results } from './sample.js';
import { number, ratioText, standing } from './wording.js';

/** Which sluice is compared: the better engine of those that were measured. */
export function subjectOf(results: Results): PeerName {
  const measured = [
    ...results.samples.map(({ peer }) => peer),
    ...(results.growth ?? []).map(({ engine }) => engine),
  ];
  return measured.includes('uring') ? 'uring' : 'node';
}

export function renderReport(results: Results): string {
  const figures = new Figures(results.samples);
  const subject = subjectOf(results);
  const cases = [...new Set(results.samples.map((sample) => sample.case))];
  const parts = [
    '# Side by side',
    howToRead(results, subject),
    describeEnvironment(results),
    goalsTable(figures, subject, cases),
    behindList(figures, subject, cases),
    ...cases.map((name) => caseSection(results, figures, subject, name)),
    growthSection(results.growth ?? []),
    absences(results),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function howToRead(results: Results, subject: PeerName): string {
  return `Made by \`npm run bench\` from its samples; [the method](../README.md) says how.
Figures are medians of ${results.rounds} rounds or fewer. A ratio is the median of the rounds' own ratios,
${PEERS[subject]} ÷ the other, with an interval that holds the true median with
95 % or more. **ahead** and **behind** stand where the whole interval says so; everything else is no
difference.`;
}

function goalsTable(figures: Figures, subject: PeerName, cases: readonly CaseName[]): string {
  const rows = GOALS.filter((goal) => cases.includes(goal.case)).flatMap((goal) => {
    const ratio = figures.ratio(goal.case, goal.measure, subject, goal.against);
    if (ratio === null) return [];
    const { kind, ratio: bound } = goal.bound;
    return [
      [
        `${goal.case}: ${MEASURES[goal.measure].title}`,
        PEERS[goal.against],
        `${kind === 'at-least' ? '≥' : '≤'} ${bound.toFixed(2)}`,
        ratioText(ratio),
        judge(goal.bound, ratio),
      ],
    ];
  });
  if (rows.length === 0) return '';
  const head = ['case', 'against', 'goal', 'ratio', 'verdict'];
  return `## Goals\n\n${markdownTable([head, ...rows])}`;
}

/** Losses, so that readers need not look for them. */
function behindList(figures: Figures, subject: PeerName, cases: readonly CaseName[]): string {
  const lines = cases.flatMap((name) =>
    caseOf(name).measures.flatMap((measure) =>
      rivals(name, subject).flatMap((peer) => {
        const ratio = figures.ratio(name, measure, subject, peer);
        if (ratio === null || standing(MEASURES[measure].better, ratio) !== 'behind') return [];
        const { title } = MEASURES[measure];
        return [`- ${name}, ${title}: ${ratioText(ratio)} × ${PEERS[peer]}`];
      }),
    ),
  );
  return lines.length === 0 ? '' : `## Where sluice is behind\n\n${lines.join('\n')}`;
}

function rivals(name: CaseName, subject: PeerName): readonly PeerName[] {
  return caseOf(name).peers.filter((peer) => peer !== subject && peer !== 'direct');
}

function caseSection(
  results: Results,
  figures: Figures,
  subject: PeerName,
  name: CaseName,
): string {
  const { question, measures, peers } = caseOf(name);
  const note = results.notes[name];
  const rows = peers.flatMap((peer) => {
    const cells = measures.map((measure) => cellsOf(figures, name, measure, subject, peer));
    return cells.every(([value]) => value === '') ? [] : [[PEERS[peer], ...cells.flat()]];
  });
  const head = measures.flatMap((measure) => {
    return [`${MEASURES[measure].title}, ${unitOf(name, measure)}`, 'ratio'];
  });
  const told = note === undefined ? '' : ` ${note}.`;
  return `## ${name}\n\n${question}.${told}\n\n${markdownTable([['', ...head], ...rows])}`;
}

function cellsOf(
  figures: Figures,
  name: CaseName,
  measure: MeasureName,
  subject: PeerName,
  peer: PeerName,
): [value: string, ratio: string] {
  const value = figures.of(name, measure, peer);
  if (value === null) return ['', ''];
  const { digits, better } = MEASURES[measure];
  const median = number(value.median, digits);
  const ratio = peer === subject ? null : figures.ratio(name, measure, subject, peer);
  if (ratio === null) return [median, ''];
  // Behind no proxy at all is where every proxy is.
  return [median, peer === 'direct' ? ratioText(ratio) : judged(better, ratio)];
}

function judged(better: 'more' | 'less', ratio: Estimate): string {
  const word = standing(better, ratio);
  return word === 'no difference' ? ratioText(ratio) : `${ratioText(ratio)} **${word}**`;
}

function absences(results: Results): string {
  if (results.absences.length === 0) return '';
  const lines = results.absences.map((each) => `- ${each.case}, ${each.peer}: ${each.sentence}`);
  return `## Not measured\n\n${[...new Set(lines)].join('\n')}`;
}
