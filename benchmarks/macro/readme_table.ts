/** The table of the README, and how to read it: a line per question, against the C proxies only. */
import { markdownTable } from '../support/markdown.js';
import type { CaseName } from './case_names.js';
import { caseOf, unitOf } from './cases.js';
import { Figures } from './compare.js';
import { MEASURES, type MeasureName } from './measures.js';
import type { PeerName } from './peers.js';
import { subjectOf } from './report.js';
import type { Results } from './sample.js';
import { number, ratioText, standing } from './wording.js';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';
/** Of each case the first two, which are what it is about. */
const MEASURES_PER_CASE = 2;

/** `text` with paragraph and table between the marks; null when it has no marks. */
export function withTable(text: string, results: Results): string | null {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) return null;
  return `${text.slice(0, begin + BEGIN.length)}\n${renderFigures(results)}\n${text.slice(end)}`;
}

/** How to read the table, and the table. */
export function renderFigures(results: Results): string {
  return `${howToRead(results)}\n\n${renderTable(results)}`;
}

function howToRead({ environment: e, rounds }: Results): string {
  const programs = ['sluice', 'HAProxy', 'nginx', 'Node.js'].flatMap((name) =>
    e.versions[name] === undefined ? [] : [`${name} ${e.versions[name]}`],
  );
  return `Measured on ${e.date.slice(0, 10)} on ${e.cores} × ${e.cpu}, Linux ${e.kernel}:
${programs.join(', ')}.
Figures are medians of up to ${rounds} rounds. A ratio is sluice divided by the other, and the median of the
ratios within each round; it is therefore not the quotient of the two columns. In brackets is its 95 %
interval; "ahead" and "behind" stand only where the whole interval, before it is rounded, is on one
side of 1. HAProxy uses splice(2) in the rows of bulk data and of iperf3.`;
}

function renderTable(results: Results): string {
  const figures = new Figures(results.samples);
  const subject = subjectOf(results);
  const cases = [...new Set(results.samples.map((sample) => sample.case))];
  const rows = cases.flatMap((name) =>
    caseOf(name)
      .measures.slice(0, MEASURES_PER_CASE)
      .map((measure) => rowOf(figures, subject, name, measure)),
  );
  const head = ['', 'HAProxy', 'nginx', 'sluice', '÷ HAProxy', '÷ nginx'];
  return markdownTable([head, ...rows]);
}

function rowOf(
  figures: Figures,
  subject: PeerName,
  name: CaseName,
  measure: MeasureName,
): string[] {
  const { title, digits, better } = MEASURES[measure];
  // Where splice(2) counts, HAProxy has it, too.
  const splices = caseOf(name).peers.includes('haproxy-splice');
  const peers: readonly PeerName[] = [splices ? 'haproxy-splice' : 'haproxy', 'nginx'];
  const value = (peer: PeerName): string => {
    const found = figures.of(name, measure, peer);
    return found === null ? '–' : number(found.median, digits);
  };
  const ratio = (peer: PeerName): string => {
    const found = figures.ratio(name, measure, subject, peer);
    if (found === null) return '–';
    const word = standing(better, found);
    return word === 'no difference' ? ratioText(found) : `${ratioText(found)} ${word}`;
  };
  const columns = [...peers, subject].map(value);
  return [
    `${caseOf(name).question}: ${title}, ${unitOf(name, measure)}`,
    ...columns,
    ...peers.map(ratio),
  ];
}
