/** What an import says of itself: every word of the files stands in one of three lists. */
import { placeText, type ReportLine, type Treatment } from './statement.js';

const TITLES: Readonly<Record<Treatment, string>> = {
  translated: 'translated',
  changed: 'changed in meaning',
  dropped: 'dropped',
};

/** Longer texts of the file are cut. */
const MAX_TEXT_LENGTH = 120;

export function formatReport(entries: readonly ReportLine[]): string {
  const lists = (['translated', 'changed', 'dropped'] as const).map((verdict) => ({
    title: TITLES[verdict],
    members: entries.filter((entry) => entry.verdict === verdict),
  }));
  const shown = lists.filter(({ members }) => members.length > 0);
  const texts = shown.map(({ title, members }) => `${title}:\n${members.map(line).join('')}`);
  const sums = lists.map(({ title, members }) => `${members.length} ${title}`);
  return [...texts, `${sums.join(', ')}\n`].join('\n');
}

/** `FILE:LINE: WORDS: what became of them` */
function line({ place, text, notes }: ReportLine): string {
  const short = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)} …` : text;
  return `  ${placeText(place)}: ${printable(short)}: ${printable(notes.join('; '))}\n`;
}

/** What stands in a file must not move the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
