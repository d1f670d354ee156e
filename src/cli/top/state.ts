/** What `sluice top` knows and shows: a value that looks and keys change. Pure. */
import type { BACKENDS, LISTENERS, POOLS } from '../../control/api/lists.js';
import type { SESSIONS } from '../../control/api/sessions.js';
import type { ShapeOf } from '../../control/api/shape.js';
import type { STATUS } from '../../control/api/status.js';

export type Status = ShapeOf<typeof STATUS>;
export type ListedListener = ShapeOf<typeof LISTENERS>['items'][number];
export type ListedPool = ShapeOf<typeof POOLS>['items'][number];
export type ListedBackend = ShapeOf<typeof BACKENDS>['items'][number];
export type ListedSession = ShapeOf<typeof SESSIONS>['items'][number];

/** One look at the daemon. */
export interface Look {
  /** Monotonic: what rates are over. */
  readonly atMs: number;
  readonly status: Status;
  readonly listeners: readonly ListedListener[];
  readonly pools: readonly ListedPool[];
  readonly backends: readonly ListedBackend[];
  /** Those that were asked for; null: none were. */
  readonly sessions: readonly ListedSession[] | null;
  /** What the answer lacks, as sentences. */
  readonly missing: readonly string[];
}

/** What a line is about; `name` as orders and filters of sessions have it. */
export interface LineTarget {
  readonly kind: 'listener' | 'pool' | 'backend';
  readonly name: string;
}

export const SORTS = ['file', 'state', 'sessions', 'refused', 'probe', 'name'] as const;
export type Sort = (typeof SORTS)[number];
export const SESSION_ORDERS = ['age', 'bytes', 'idle'] as const;
type SessionOrder = (typeof SESSION_ORDERS)[number];

export type View =
  | { readonly is: 'overview' }
  /** Those of one line. */
  | { readonly is: 'sessions'; readonly of: LineTarget; readonly order: SessionOrder };

export interface Order {
  readonly what: 'drain' | 'ready';
  /** `POOL/BACKEND`, or `POOL/*`. */
  readonly backend: string;
}

/** What the next key means. */
export type Mode =
  | { readonly is: 'looking' }
  | { readonly is: 'typing a filter' }
  | { readonly is: 'asking'; readonly order: Order }
  | { readonly is: 'helping' };

export interface State {
  readonly now: Look | null;
  /** The one before, of the same process; null: there are no rates yet. */
  readonly before: Look | null;
  /** Why the last look failed; null: it did not. */
  readonly failure: string | null;
  readonly view: View;
  readonly mode: Mode;
  /** The key of the line that keys are about; null: the first. */
  readonly selected: string | null;
  /** Where that line stood, for when it goes. */
  readonly position: number;
  /** Pools whose backends are not shown. */
  readonly folded: ReadonlySet<string>;
  readonly sort: Sort;
  readonly filter: string;
  /** What became of the last order. */
  readonly said: string;
}

export const BEGUN: State = {
  now: null,
  before: null,
  failure: null,
  view: { is: 'overview' },
  mode: { is: 'looking' },
  selected: null,
  position: 0,
  folded: new Set(),
  sort: 'file',
  filter: '',
  said: '',
};

export function looked(state: State, look: Look): State {
  const last = state.now;
  const isSame = last !== null && last.status.started === look.status.started;
  return { ...state, now: look, before: isSame ? last : null, failure: null };
}

/** What was seen last stays on the screen, with the reason why it gets old. */
export function lookFailed(state: State, failure: string): State {
  return { ...state, before: null, failure };
}

export function told(state: State, said: string): State {
  return { ...state, said };
}
