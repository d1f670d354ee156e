/** The columns of both tables: what stands in them, and how wide they are. Pure. */
import { span } from '../../admin/table.js';
import { bytes } from '../ctl/sessions.js';
import { type ListLine, place, probeMs, refusedRate } from './lines.js';
import { rate, sessionRate, short } from './rates.js';
import type { ListedBackend, Look, State } from './state.js';

export type Tone = 'plain' | 'bold' | 'good' | 'warning' | 'bad' | 'selected';

export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly cell: (state: State, line: ListLine) => string;
}

/** Of the overview; with the mark of the selected line they fill 80 columns. */
const OVERVIEW: readonly Column[] = [
  { title: 'NAME', width: 19, align: 'left', cell: (_, line) => nameOf(line) },
  { title: 'STATE', width: 11, align: 'left', cell: (_, line) => stateOf(line) },
  { title: 'FOR', width: 6, align: 'right', cell: (state, line) => age(state.now, line) },
  { title: 'SESSIONS', width: 11, align: 'right', cell: (_, line) => sessionsOf(line) },
  { title: '+-/S', width: 5, align: 'right', cell: (state, line) => change(state, line) },
  { title: 'REFUSED/S', width: 9, align: 'right', cell: refused },
  { title: 'QUEUE', width: 5, align: 'right', cell: (_, line) => queue(line) },
  { title: 'PROBE', width: 5, align: 'right', cell: (_, line) => probe(line) },
];
const SESSIONS: readonly Column[] = [
  { title: 'CLIENT', width: 21, align: 'left', cell: session(({ client }) => client) },
  { title: 'AT', width: 17, align: 'left', cell: session(place) },
  { title: 'STATE', width: 9, align: 'left', cell: session(({ state }) => state) },
  { title: 'AGE', width: 6, align: 'right', cell: session((one) => span(one.age_ms)) },
  { title: 'IDLE', width: 6, align: 'right', cell: session((one) => span(one.idle_ms)) },
  { title: 'B/S', width: 6, align: 'right', cell: speed },
  { title: 'BYTES', width: 7, align: 'right', cell: session(moved) },
];
/** As wide as they are named: what a wide screen has room for. */
const MORE_OVERVIEW: readonly Omit<Column, 'width'>[] = [
  { title: 'WHY', align: 'left', cell: (_, line) => (line.is === 'session' ? '' : reason(line)) },
];
const MORE_SESSIONS: readonly Omit<Column, 'width'>[] = [
  { title: 'ID', align: 'left', cell: session(({ id }) => id) },
];
const LEAST_MORE = 16;
/** Names get of what is left as much as this. */
const MOST_NAME = 40;
const LEAST_NAME = 14;
const MARK = 2;
/** In this order. */
const MISSED_LEAST = {
  overview: ['+-/S', 'PROBE', 'FOR', 'QUEUE', 'REFUSED/S'],
  sessions: ['B/S', 'STATE', 'BYTES', 'AGE'],
};

/**
 * For a screen `width` wide: first names get more room, then there is another column. A narrow one
 * does without those that are missed least, and with shorter names.
 */
export function columnsOf({ view }: State, width: number): readonly Column[] {
  const [usual, more] =
    view.is === 'overview' ? [OVERVIEW, MORE_OVERVIEW] : [SESSIONS, MORE_SESSIONS];
  const [name, ...others] = usual;
  if (name === undefined) return usual;
  for (const title of MISSED_LEAST[view.is]) {
    const at = others.findIndex((column) => column.title === title);
    if (spare(others, width) < LEAST_NAME) others.splice(at, 1);
  }
  const left = spare(others, width) - name.width;
  const room = Math.max(LEAST_NAME, Math.min(name.width + left, MOST_NAME));
  const fitting = [{ ...name, width: room }, ...others];
  const rest = spare(fitting, width);
  if (rest < LEAST_MORE) return fitting;
  return [...fitting, ...more.map((column) => ({ ...column, width: rest }))];
}

/** What is left for names; negative: the columns and the mark are wider than the screen. */
function spare(columns: readonly Column[], width: number): number {
  return width - columns.reduce((sum, column) => sum + column.width + 1, MARK);
}

/** What of a line has no column, and its name where that is cut. */
export function detail(line: ListLine, columns: readonly Column[]): string {
  const isCut = line.is !== 'session' && [...nameOf(line)].length > (columns[0]?.width ?? 0);
  return isCut ? joined([line.of.name, more(line)]) : more(line);
}

function more(line: ListLine): string {
  switch (line.is) {
    case 'listener':
      return joined([
        `${line.of.protocol} ${line.of.addresses.join(' ')} to ${line.of.pools.join(' ')}`,
        counts([...line.of.refused, ...line.of.dropped]),
        line.of.reason,
      ]);
    case 'pool':
      return joined([
        `${line.of.eligible} of ${line.of.backends} eligible, ${line.of.policy}`,
        counts(line.of.refused),
        line.of.reason,
      ]);
    case 'backend':
      return joined([`${line.of.address} weight ${weight(line.of)}`, why(line.of)]);
    case 'session': {
      const { id, listener, client, bytes_in: into, bytes_out: out } = line.of;
      return `${id}: ${client} over ${listener}, in ${bytes(into)}, out ${bytes(out)}`;
    }
  }
}

export function toneOf(line: ListLine): Tone {
  if (line.is === 'session') return 'plain';
  switch (line.of.state) {
    case 'down':
    case 'ejected':
    case 'failed':
    case 'panic':
    case 'unresolved':
      return 'bad';
    case 'up':
    case 'open':
      return line.is === 'backend' && !line.of.eligible ? 'plain' : 'good';
    case 'standby':
      return 'plain';
    default:
      return 'warning';
  }
}

function nameOf(line: ListLine): string {
  switch (line.is) {
    case 'listener':
      return line.of.name;
    case 'pool':
      return `${line.fold === 'open' ? '-' : '+'} ${line.of.name}`;
    case 'backend':
      return `    ${line.of.name}`;
    case 'session':
      return line.of.id;
  }
}

function stateOf(line: ListLine): string {
  if (line.is !== 'backend' || line.of.eligible || line.of.state !== 'up') return line.of.state;
  return `up, ${line.of.cause ?? ''}`;
}

/** By the clock of the daemon. */
function age(now: Look | null, line: ListLine): string {
  if (now === null || line.is === 'session') return '';
  return span(Date.parse(now.status.now) - Date.parse(line.of.since));
}

function sessionsOf(line: ListLine): string {
  if (line.is === 'listener') return of(line.of.sessions, line.of.max_sessions);
  if (line.is === 'pool') return String(line.of.sessions);
  return line.is === 'backend' ? of(line.of.active, line.of.max_connections) : '';
}

function of(count: number, most: number): string {
  if (most === 0) return String(count);
  const whole = `${count}/${most}`;
  return whole.length <= 11 ? whole : `${count}/${short(most)}`;
}

/** How many more there are each second; fewer, with a minus. */
function change(state: State, line: ListLine): string {
  const find = (look: Look): number | undefined => {
    switch (line.is) {
      case 'listener':
        return look.listeners.find(({ name }) => name === line.of.name)?.sessions;
      case 'pool':
        return look.pools.find(({ name }) => name === line.of.name)?.sessions;
      case 'backend':
        return look.backends.find((one) => isSame(one, line.of))?.active;
      case 'session':
        return undefined;
    }
  };
  const more = rate(state, find);
  if (more === null || more > 0) return more === null ? '-' : `+${short(more)}`;
  const fewer = rate(state, (look) => {
    const count = find(look);
    return count === undefined ? undefined : -count;
  });
  return fewer === null || fewer === 0 ? '0' : `-${short(fewer)}`;
}

function isSame(a: ListedBackend, b: ListedBackend): boolean {
  return a.name === b.name && a.pool === b.pool && a.address === b.address;
}

function refused(state: State, line: ListLine): string {
  return line.is === 'backend' ? '' : short(refusedRate(state, line));
}

function queue(line: ListLine): string {
  if (line.is !== 'pool') return '';
  const { queue_size: size, queue_length: length } = line.of;
  return size === 0 && length === 0 ? '-' : String(length);
}

/** Milliseconds, or what else is known of the last one. */
function probe(line: ListLine): string {
  if (line.is === 'listener') return '';
  if (line.is === 'backend' && line.of.last_probe?.result === 'failed') return 'fail';
  const ms = probeMs(line);
  return ms === null ? '-' : ms < 99.5 ? ms.toFixed(1) : short(ms);
}

function session(
  cell: (one: Extract<ListLine, { is: 'session' }>['of']) => string,
): Column['cell'] {
  return (_, line) => (line.is === 'session' ? cell(line.of) : '');
}

function speed(state: State, line: ListLine): string {
  return line.is === 'session' ? short(sessionRate(state, line.of.id)) : '';
}

function moved({
  bytes_in: into,
  bytes_out: out,
}: Extract<ListLine, { is: 'session' }>['of']): string {
  return short(into + out);
}

function reason(line: Exclude<ListLine, { is: 'session' }>): string {
  return line.is === 'backend' ? why(line.of) : line.of.reason;
}

function why({ reason: sentence, last_probe: last }: ListedBackend): string {
  if (last?.result !== 'failed' || last.detail === '' || sentence.includes(last.detail)) {
    return sentence;
  }
  return joined([sentence, `last probe: ${last.detail}`]);
}

function weight({ weight: configured, weight_effective: now }: ListedBackend): string {
  return configured === now ? String(configured) : `${Number(now.toFixed(2))} of ${configured}`;
}

function counts(all: readonly { readonly reason: string; readonly count: number }[]): string {
  if (all.length === 0) return '';
  return `refused: ${all.map((one) => `${one.reason} ${one.count}`).join(', ')}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('; ');
}
