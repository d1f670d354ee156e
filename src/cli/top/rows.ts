/** The screen as rows of text: head, table, details of one line, foot. Pure. */
import { span } from '../../admin/table.js';
import { poolOfAll } from '../../core/identity.js';
import { terminalSafe } from '../ctl/output.js';
import { bytes } from '../ctl/sessions.js';
import { type Column, columnsOf, detail, type Tone, toneOf } from './columns.js';
import { KEYS } from './key_table.js';
import { lines, selection } from './lines.js';
import { rate, short } from './rates.js';
import type { Look, Order, State } from './state.js';

export interface Row {
  /** As wide as the screen at most. */
  readonly text: string;
  readonly tone: Tone;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const HEAD_ROWS = 4;
/** Head, heads of columns, the details of a line, and the foot. */
const OTHER_ROWS = HEAD_ROWS + 3;

/** Exactly `size.rows` of them. */
export function rows(state: State, size: Size): readonly Row[] {
  const { columns } = size;
  const body = state.mode.is === 'helping' ? help() : table(state, size);
  const all = [...head(state), ...body];
  const most = Math.max(0, size.rows - 2);
  while (all.length < most) all.push(plain(''));
  // On a screen that is hardly one, what it asks is worth more than what it shows.
  const whole = [...all.slice(0, most), plain(details(state, size)), foot(state)];
  return whole.slice(-size.rows).map(({ text, tone }) => ({ text: cut(text, columns), tone }));
}

function head(state: State): Row[] {
  const { now, failure } = state;
  if (now === null) return [plain(failure ?? 'asking …')];
  const { status } = now;
  const up = span(Date.parse(status.now) - Date.parse(status.started));
  return [
    bold(
      `sluice ${status.version}  ${status.phase}, up ${up}  engine ${status.engine}, ` +
        `workers ${status.workers}  ${status.now.slice(11, 19)} UTC`,
    ),
    plain(traffic(state, now)),
    plain(health(now)),
    trouble(state, now),
  ];
}

function traffic(state: State, { status }: Look): string {
  const per = (figure: (look: Look) => number): string => short(rate(state, figure));
  const flow = (figure: (look: Look) => number): string => {
    const value = rate(state, figure);
    return value === null ? '-' : bytes(Math.round(value));
  };
  return (
    `sessions ${status.sessions_active} now, ${per((at) => at.status.sessions_total)}/s  ` +
    `refused ${per((at) => at.status.refused_total)}/s  ` +
    `in ${flow((at) => at.status.bytes_in_total)}/s  ` +
    `out ${flow((at) => at.status.bytes_out_total)}/s`
  );
}

function health({ status, pools, backends }: Look): string {
  const queued = pools.reduce((total, { queue_length: length }) => total + length, 0);
  const slowest = backends.reduce<{ readonly ms: number; readonly name: string } | null>(
    (worst, { pool, name, last_probe: last }) =>
      last !== null && last.latency_ms > (worst?.ms ?? -1)
        ? { ms: last.latency_ms, name: `${pool}/${name}` }
        : worst,
    null,
  );
  return (
    `eligible ${status.backends_eligible} of ${status.backends}  queued ${queued}  ` +
    `overrides ${status.overrides}` +
    (slowest === null ? '' : `  slowest probe ${slowest.ms.toFixed(1)} ms, ${slowest.name}`)
  );
}

function trouble({ failure }: State, { status, missing }: Look): Row {
  if (failure !== null) return { text: `! ${failure}`, tone: 'bad' };
  const [first, ...more] = [...status.trouble, ...missing];
  if (first === undefined) return plain('');
  const others = more.length === 0 ? '' : `(${more.length} more) `;
  return { text: `! ${others}${first}`, tone: 'bad' };
}

function table(state: State, size: Size): readonly Row[] {
  const all = lines(state);
  const at = selection(state, all);
  const room = Math.max(1, size.rows - OTHER_ROWS);
  const from = firstShown(at, all.length, room);
  const columns = columnsOf(state, size.columns);
  const heads: Row = bold(`  ${joined(columns, ({ title }) => title)}`);
  if (all.length === 0) return [heads, plain(`  ${nothing(state)}`)];
  const shown = all.slice(from, from + room).map((line, index): Row => {
    const isSelected = from + index === at;
    const text = joined(columns, ({ cell }) => cell(state, line));
    // The mark says it where there are no colours.
    return isSelected
      ? { text: `> ${text}`.padEnd(size.columns), tone: 'selected' }
      : { text: `  ${text}`, tone: toneOf(line) };
  });
  return [heads, ...shown];
}

/** The selected line in the middle, without rows left empty at the end. */
function firstShown(at: number, count: number, room: number): number {
  return Math.max(0, Math.min(at - Math.floor(room / 2), count - room));
}

function nothing({ now, view, filter }: State): string {
  if (filter !== '') return `nothing fits the filter "${filter}"`;
  if (view.is === 'sessions') return now?.sessions === null ? 'asking …' : 'no sessions now';
  return 'nothing is configured';
}

function details(state: State, { columns }: Size): string {
  if (state.mode.is === 'helping') return '';
  const all = lines(state);
  const line = all[selection(state, all)];
  return line === undefined ? '' : detail(line, columnsOf(state, columns));
}

function foot(state: State): Row {
  const { mode, said, view, sort, filter } = state;
  switch (mode.is) {
    case 'asking':
      return { text: question(state, mode.order), tone: 'bad' };
    case 'typing a filter':
      return bold(`filter: ${filter}_  (enter: keep, escape: all)`);
    case 'helping':
      return plain('any key goes back');
    case 'looking': {
      if (said !== '') return bold(said);
      const where = view.is === 'sessions' ? `${view.of.kind} ${view.of.name}, ` : '';
      const by = view.is === 'sessions' ? view.order : sort;
      const only = filter === '' ? '' : `, filter "${filter}"`;
      return plain(`${where}${by === 'file' ? 'file order' : `by ${by}`}${only}  ${hint(state)}`);
    }
  }
}

function hint({ view }: State): string {
  return view.is === 'sessions'
    ? 's sort  / filter  escape back  ? help  q quit'
    : 's sort  / filter  enter sessions  d drain  r ready  ? help  q quit';
}

function question({ now }: State, { what, backend }: Order): string {
  const pool = poolOfAll(backend);
  const count = now?.pools.find(({ name }) => name === pool)?.backends ?? 0;
  const whom = pool === null ? backend : `all ${count} backends of ${pool}`;
  return what === 'drain'
    ? `drain ${whom}? y: no new sessions there, existing ones may finish`
    : `bring back ${whom}? y: drain and maintenance end`;
}

function help(): readonly Row[] {
  return [
    bold('  KEY                DOES'),
    ...KEYS.map(([keys, does]) => plain(`  ${keys.padEnd(17)}  ${does}`)),
    plain(''),
    plain('  FOR       since when it is so'),
    plain('  +-/S      how many more sessions there are each second, or fewer'),
    plain('  REFUSED/S clients turned away per second'),
    plain('  PROBE     milliseconds of the last probe; of a pool the slowest'),
  ];
}

function joined(columns: readonly Column[], cell: (column: Column) => string): string {
  const cells = columns.map((column) => {
    const text = cut(cell(column), column.width);
    const pad = ' '.repeat(Math.max(0, column.width - [...text].length));
    return column.align === 'right' ? `${pad}${text}` : `${text}${pad}`;
  });
  return cells.join(' ').trimEnd();
}

/** Letters that take no column, or two, would spoil the count of columns. */
const UNEVEN = new RegExp(
  `[${['M', 'Cf', 'Cs', 'Extended_Pictographic'].map((name) => `\\p{${name}}`).join('')}` +
    `${['Han', 'Hiragana', 'Katakana', 'Hangul'].map((name) => `\\p{Script=${name}}`).join('')}` +
    '\\uff00-\\uff60]',
  'gu',
);

function cut(text: string, width: number): string {
  const letters = [...terminalSafe(text).replace(UNEVEN, '?')];
  return letters.length <= width ? letters.join('') : `${letters.slice(0, width - 1).join('')}…`;
}

function plain(text: string): Row {
  return { text, tone: 'plain' };
}

function bold(text: string): Row {
  return { text, tone: 'bold' };
}
