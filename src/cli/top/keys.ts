/** What a key does: another state, and what is to be done outside. Pure. */
import { unreachable } from '../../core/assert.js';
import { type ListLine, lines, lineTargetOf, selection } from './lines.js';
import { type Order, SESSION_ORDERS, SORTS, type State } from './state.js';

/** `up`, `return`, `ctrl-c` …; else the character that was typed. */
export type PressedKey = string;

export type Effect =
  | { readonly is: 'nothing' }
  /** What is shown needs another answer at once. */
  | { readonly is: 'look' }
  | { readonly is: 'order'; readonly order: Order }
  /** The shell has the terminal until it brings the command back. */
  | { readonly is: 'suspend' }
  | { readonly is: 'quit' };

export interface Pressed {
  readonly state: State;
  readonly effect: Effect;
}

const PAGE = 10;
const MOST_FILTER = 60;
const NOTHING: Effect = { is: 'nothing' };

export function press(state: State, key: PressedKey): Pressed {
  if (key === 'ctrl-c') return { state, effect: { is: 'quit' } };
  if (key === 'ctrl-z') return { state, effect: { is: 'suspend' } };
  switch (state.mode.is) {
    case 'looking':
      return look({ ...state, said: '' }, key);
    case 'typing a filter':
      return still(typed(state, key));
    case 'asking':
      return answered(state, state.mode.order, key);
    case 'helping':
      return still({ ...state, mode: { is: 'looking' } });
    default:
      return unreachable(state.mode);
  }
}

function look(state: State, key: PressedKey): Pressed {
  const all = lines(state);
  const at = selection(state, all);
  const line = all[at];
  const to = moved(key, at, all.length);
  if (to !== null) return still(select(state, all, to));
  switch (key) {
    case 'q':
      return { state, effect: { is: 'quit' } };
    case '?':
      return still({ ...state, mode: { is: 'helping' } });
    case '/':
      return still({ ...state, mode: { is: 'typing a filter' } });
    case 's':
      return resorted(state, 1);
    case 'S':
      return resorted(state, -1);
    case 'z':
      return still(foldAll(state));
    case 'space':
    case 'left':
    case 'right':
      return still(fold(state, line, key));
    case 'return':
      return opened(state, line);
    case 'escape':
    case 'backspace':
      return back(state);
    case 'd':
      return still(asked(state, line, 'drain'));
    case 'r':
      return still(asked(state, line, 'ready'));
    default:
      return still(state);
  }
}

function moved(key: PressedKey, at: number, count: number): number | null {
  switch (key) {
    case 'up':
    case 'k':
      return at - 1;
    case 'down':
    case 'j':
      return at + 1;
    case 'pageup':
      return at - PAGE;
    case 'pagedown':
      return at + PAGE;
    case 'home':
      return 0;
    case 'end':
      return count - 1;
    default:
      return null;
  }
}

function select(state: State, all: readonly ListLine[], to: number): State {
  const position = Math.max(0, Math.min(to, all.length - 1));
  return { ...state, position, selected: all[position]?.key ?? null };
}

function resorted(state: State, step: 1 | -1): Pressed {
  const { view } = state;
  if (view.is === 'overview') return still({ ...state, sort: next(SORTS, state.sort, step) });
  const order = next(SESSION_ORDERS, view.order, step);
  return { state: { ...state, view: { ...view, order } }, effect: { is: 'look' } };
}

function next<T>(all: readonly T[], one: T, step: 1 | -1): T {
  return all[(all.indexOf(one) + step + all.length) % all.length] ?? one;
}

/** Of a backend: its pool, which is selected then. */
function fold(state: State, line: ListLine | undefined, key: 'space' | 'left' | 'right'): State {
  if (line?.is !== 'pool' && line?.is !== 'backend') return state;
  const name = line.is === 'pool' ? line.of.name : line.of.pool;
  const folded = new Set(state.folded);
  const isFolding = key === 'left' || (key === 'space' && !folded.has(name));
  if (isFolding) folded.add(name);
  else folded.delete(name);
  const selected = isFolding ? `pool ${name}` : line.key;
  const changed = { ...state, folded, selected };
  return { ...changed, position: selection(changed) };
}

function foldAll(state: State): State {
  if (state.view.is !== 'overview') return state;
  const line = lines(state)[selection(state)];
  const names = state.now?.pools.map(({ name }) => name) ?? [];
  const isAll = names.every((name) => state.folded.has(name));
  const folded = new Set(isAll ? [] : names);
  const selected = line?.is === 'backend' ? `pool ${line.of.pool}` : (line?.key ?? null);
  const changed = { ...state, folded, selected };
  return { ...changed, position: selection(changed) };
}

function opened(state: State, line: ListLine | undefined): Pressed {
  const of = line === undefined ? null : lineTargetOf(line);
  if (of === null) return still(state);
  const view = { is: 'sessions', of, order: 'age' } as const;
  const now = state.now === null ? null : { ...state.now, sessions: null };
  const shown = { ...state, now, view, filter: '', selected: null, position: 0 };
  return { state: shown, effect: { is: 'look' } };
}

/** To the line that it came from; on the overview it ends the filter. */
function back(state: State): Pressed {
  if (state.view.is === 'overview') return still({ ...state, filter: '' });
  const { kind, name } = state.view.of;
  const shown: State = { ...state, view: { is: 'overview' }, filter: '', selected: null };
  const all = lines(shown);
  const at = all.findIndex((line) => {
    const target = lineTargetOf(line);
    return target?.kind === kind && target.name === name;
  });
  return { state: select(shown, all, at), effect: { is: 'look' } };
}

function asked(state: State, line: ListLine | undefined, what: Order['what']): State {
  const target = line === undefined ? null : lineTargetOf(line);
  if (target === null || target.kind === 'listener') {
    return { ...state, said: 'choose a backend or a pool first' };
  }
  const backend = target.kind === 'pool' ? `${target.name}/*` : target.name;
  return { ...state, mode: { is: 'asking', order: { what, backend } } };
}

/** Only `y` is a yes: any other key, pressed in a hurry, changes nothing. */
function answered(state: State, order: Order, key: PressedKey): Pressed {
  const calm: State = { ...state, mode: { is: 'looking' } };
  if (key !== 'y') return still({ ...calm, said: 'nothing was changed' });
  return { state: calm, effect: { is: 'order', order } };
}

function typed(state: State, key: PressedKey): State {
  const { filter } = state;
  switch (key) {
    case 'return':
      return { ...state, mode: { is: 'looking' } };
    case 'escape':
      return { ...state, mode: { is: 'looking' }, filter: '' };
    case 'ctrl-u':
      return { ...state, filter: '' };
    case 'backspace':
      return { ...state, filter: [...filter].slice(0, -1).join('') };
    case 'space':
      return extended(state, ' ');
    default:
      return [...key].length === 1 ? extended(state, key) : state;
  }
}

function extended(state: State, letter: string): State {
  const filter = `${state.filter}${letter}`;
  return filter.length > MOST_FILTER ? state : { ...state, filter };
}

function still(state: State): Pressed {
  return { state, effect: NOTHING };
}
