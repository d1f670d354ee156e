/** Looks at a daemon, and gives it orders, over its control API. */

import type { Changed } from '../../control/api/changing.js';
import type { BACKENDS, LISTENERS, POOLS } from '../../control/api/lists.js';
import type { SESSIONS } from '../../control/api/sessions.js';
import type { ShapeOf } from '../../control/api/shape.js';
import type { Clock } from '../../core/clock.js';
import { deviationText } from '../../core/deviation.js';
import { type Client, CtlFailure } from '../ctl/client.js';
import { endedText } from '../ctl/orders.js';
import type { Look, Order, Status, View } from './state.js';

/** As many as one answer has. */
const MOST_BACKENDS = 10_000;
/** More than a person reads; the sort says which. */
const MOST_SESSIONS = 1_000;

type Api = Pick<Client, 'get' | 'post'>;
type Sessions = ShapeOf<typeof SESSIONS>;

export async function look(client: Api, view: View, clock: Clock): Promise<Look> {
  const [status, listeners, pools, backends, sessions] = await Promise.all([
    client.get<Status>('/status'),
    client.get<ShapeOf<typeof LISTENERS>>('/listeners'),
    client.get<ShapeOf<typeof POOLS>>('/pools'),
    client.get<ShapeOf<typeof BACKENDS>>('/backends', { limit: String(MOST_BACKENDS) }),
    view.is === 'sessions' ? sessionsOf(client, view) : null,
  ]);
  const missing = [
    ...(sessions?.missing ?? []),
    ...(sessions === null || sessions.next === null
      ? []
      : [`only ${MOST_SESSIONS} sessions shown`]),
    ...(backends.next === null ? [] : [`only the first ${MOST_BACKENDS} backends are shown`]),
  ];
  return {
    atMs: clock.nowMs(),
    status,
    listeners: listeners.items,
    pools: pools.items,
    backends: backends.items,
    sessions: sessions?.items ?? null,
    missing,
  };
}

/** Answers what has changed, as a sentence. */
export async function give(client: Api, { what: path, backend }: Order): Promise<string> {
  const { set, ended, notes } = await client.post<Changed>(`/${path}`, { backends: [backend] });
  const changes = [
    ...set.map((one) => `${one.backend}: ${deviationText(one)}`),
    ...ended.map((one) => endedText(one)),
  ];
  const told = changes.length === 0 ? ['nothing changes: it is as configured'] : changes;
  return [...notes, ...told].join('; ');
}

/** What a reload has removed has no sessions that could be asked for. */
async function sessionsOf(client: Api, { of, order }: Extract<View, { is: 'sessions' }>) {
  try {
    const query = { [of.kind]: of.name, sort: order, limit: String(MOST_SESSIONS) };
    return await client.get<Sessions>('/sessions', query);
  } catch (error) {
    if (!(error instanceof CtlFailure) || error.status !== 404) throw error;
    return { items: [], next: null, missing: [error.message] };
  }
}
