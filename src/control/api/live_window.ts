/** Which backends a screen shows, of however many. Pure. */
import {
  BACKEND_STATES,
  type BackendState,
  type BackendView,
  type HealthView,
} from '../../admin/views.js';
import { backend } from './lists.js';
import { oneOf, optional, type ShapeOf, text, whole } from './shape.js';

const USUAL_LIMIT = 50;
const MAX_LIMIT = 200;
/** What is not as it should be, the worst first. What operators asked for is none of it. */
const TROUBLE: readonly BackendState[] = [
  'down',
  'unresolved',
  'ejected',
  'full',
  'degraded',
  'unproven',
];

export const WINDOW = {
  pool: optional(text('Only backends of this pool, which is shown by itself too.')),
  backend: optional(text('This one is shown by itself, too: `POOL/BACKEND`.', 500)),
  lists: optional(
    oneOf('Listeners and pools: the first six of each, or a hundred, which is usual.', [
      'first',
      'hundred',
    ]),
  ),
  filter: optional(text('Only those with this in name, address, state or reason.')),
  state: optional(
    oneOf('Only those; `trouble`: all that are not as they should be.', [
      'trouble',
      ...BACKEND_STATES,
    ]),
  ),
  sort: optional(
    oneOf('As in the file, in trouble first, by name, or those with most sessions first.', [
      'file',
      'trouble',
      'name',
      'sessions',
    ]),
  ),
  offset: optional(whole('How many are left out first.', 0, 1_000_000)),
  limit: optional(whole('How many backends at most; by default 50.', 1, MAX_LIMIT)),
};

export type Window = { readonly [Name in keyof typeof WINDOW]?: ShapeOf<(typeof WINDOW)[Name]> };

interface Placed {
  readonly pool: string;
  readonly view: BackendView;
}

export function backendsIn({ pools }: Pick<HealthView, 'pools'>, window: Window) {
  const { pool: wanted, state, sort = 'file', offset = 0, limit = USUAL_LIMIT } = window;
  const filter = (window.filter ?? '').toLowerCase();
  const meant: Placed[] = [];
  for (const { name: pool, backends } of pools) {
    if (wanted !== undefined && pool !== wanted) continue;
    for (const view of backends) {
      if (isOfState(view, state) && has(pool, view, filter)) meant.push({ pool, view });
    }
  }
  const compare = ORDERS[sort];
  const sorted = compare === null ? meant : meant.sort(compare);
  const shown = sorted.slice(offset, offset + limit);
  return { backends: shown.map(({ pool, view }) => backend(pool, view)), matched: meant.length };
}

const ORDERS: Readonly<
  Record<NonNullable<Window['sort']>, ((a: Placed, b: Placed) => number) | null>
> = {
  file: null,
  trouble: (a, b) => rank(a.view.state) - rank(b.view.state),
  name: (a, b) => compareTexts(`${a.pool}/${a.view.name}`, `${b.pool}/${b.view.name}`),
  sessions: (a, b) => b.view.active - a.view.active,
};

function rank(state: BackendState): number {
  const at = TROUBLE.indexOf(state);
  return at < 0 ? TROUBLE.length : at;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function isOfState({ state }: BackendView, wanted: Window['state']): boolean {
  if (wanted === undefined) return true;
  return wanted === 'trouble' ? TROUBLE.includes(state) : state === wanted;
}

function has(pool: string, { name, address, state, reason }: BackendView, filter: string): boolean {
  if (filter === '') return true;
  return [`${pool}/${name}`, address, state, reason].some((one) =>
    one.toLowerCase().includes(filter),
  );
}
