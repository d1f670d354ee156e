/** Which backends a screen shows, of however many. Pure. */
import type { BackendGlance, GlanceView } from '../../admin/views.js';
import { BACKEND_STATES, type BackendState } from '../../core/backend_states.js';
import { FirstFew } from '../../core/first_few.js';
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
  /** Among those that are meant, as in the file. */
  readonly at: number;
  readonly pool: string;
  readonly one: BackendGlance;
}

export function backendsIn({ pools }: Pick<GlanceView, 'pools'>, window: Window) {
  const { pool: wanted, state, sort = 'file', offset = 0, limit = USUAL_LIMIT } = window;
  const filter = (window.filter ?? '').toLowerCase();
  const compare = ORDERS[sort];
  // Ten thousand are not sorted for the fifty that are shown.
  const first = new FirstFew<Placed>(offset + limit, (a, b) => {
    const order = compare(a, b);
    return order < 0 || (order === 0 && a.at < b.at);
  });
  let matched = 0;
  for (const { name: pool, backends } of pools) {
    if (wanted !== undefined && pool !== wanted) continue;
    const isMeant = searchIn(pool, filter);
    for (const one of backends) {
      if (!isOfState(one, state) || !isMeant(one)) continue;
      const at = matched++;
      if (sort === 'file' && at >= offset + limit) continue;
      first.add({ at, pool, one });
    }
  }
  const sorted = first.kept.toSorted((a, b) => compare(a, b) || a.at - b.at);
  const shown = sorted.slice(offset, offset + limit);
  return { backends: shown.map(({ pool, one }) => backend(pool, one.view())), matched };
}

const ORDERS: Readonly<Record<NonNullable<Window['sort']>, (a: Placed, b: Placed) => number>> = {
  file: () => 0,
  trouble: (a, b) => rank(a.one.state) - rank(b.one.state),
  name: compareNames,
  sessions: (a, b) => b.one.active - a.one.active,
};

function rank(state: BackendState): number {
  const at = TROUBLE.indexOf(state);
  return at < 0 ? TROUBLE.length : at;
}

/** As `POOL/BACKEND`, which is made only where it decides. */
function compareNames(a: Placed, b: Placed): number {
  if (a.pool === b.pool) return compareTexts(a.one.name, b.one.name);
  return compareTexts(`${a.pool}/${a.one.name}`, `${b.pool}/${b.one.name}`);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function isOfState({ state }: BackendGlance, wanted: Window['state']): boolean {
  if (wanted === undefined) return true;
  return wanted === 'trouble' ? TROUBLE.includes(state) : state === wanted;
}

/** `filter` is in small letters. What is made only to be searched comes last. */
function searchIn(pool: string, filter: string): (one: BackendGlance) => boolean {
  const isIn = (text: string): boolean => text.toLowerCase().includes(filter);
  if (filter === '' || isIn(pool)) return () => true;
  // Else it is in `POOL/BACKEND` where it is in the name.
  const prefix = filter.includes('/') ? `${pool}/` : '';
  return (one) =>
    isIn(prefix + one.name) || isIn(one.state) || isIn(one.address) || isIn(one.reason);
}
