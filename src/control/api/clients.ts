/** `GET /v1/clients`: which clients have most of the listeners. */
import type { ListenerId } from '../../core/brand.js';
import { CLIENT_SORTS } from '../../core/questions.js';
import { ok } from '../../core/result.js';
import { type ClientListener, listClients } from '../client_list.js';
import type { Inventory } from '../inventory.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { findListener } from './names.js';
import { figure, list, nullable, oneOf, optional, record, text, whole } from './shape.js';

const USUAL_LIMIT = 20;
const MAX_LIMIT = 1_000;

const limited = 'null: its listener has no limits per client, and nothing is counted.';

export const CLIENTS = record({
  items: list(
    'The highest comes first.',
    record({
      client: text('An address, or the block of IPv6 that counts as one client.'),
      listener: text('Where.'),
      sessions: figure('Sessions and flows now.'),
      per_second: nullable(figure(`Attempts per second in the last ten; ${limited}`)),
      bytes: figure('Of the sessions that are there, both ways.'),
      refused: nullable(figure(`Refused for its limits since it is known; ${limited}`)),
    }),
  ),
  next: nullable(text('Always null: there is one page.')),
  missing: list('What the answer lacks, a sentence each.', text('A sentence.')),
});

export function clientsEndpoint({
  daemon,
  clients,
}: Pick<ApiDeps, 'daemon' | 'clients'>): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/clients',
    summary: 'Top talkers: clients with their sessions, rate, bytes and refusals.',
    may: 'look',
    query: {
      listener: optional(text('Only those of a listener.')),
      sort: optional(oneOf('What they are sorted by; sessions if nothing is said.', CLIENT_SORTS)),
      limit: optional(whole('How many at most; by default 20.', 1, MAX_LIMIT)),
    },
    answer: CLIENTS,
    fails: [404],
    handle: async ({ query: { listener: name, sort = 'sessions', limit = USUAL_LIMIT } }) => {
      const { inventory, inquiries } = daemon;
      const found = name === undefined ? null : findListener(inventory, name);
      if (found?.ok === false) return found;
      const listener = found?.value.spec.name ?? null;
      const listeners = listenersOf(inventory);
      const page = await listClients(inquiries, clients, { listeners, listener, sort, limit });
      const items = page.clients.map(({ perSecond, ...view }) => ({
        ...view,
        per_second: perSecond === null ? null : Math.round(perSecond * 10) / 10,
      }));
      return ok({ value: { items, next: null, missing: page.missing } });
    },
  });
}

function listenersOf({ listeners }: Inventory): ReadonlyMap<ListenerId, ClientListener> {
  return new Map(
    [...listeners.values()].map(({ id, spec: { name, settings } }) => {
      const { limits } = settings;
      const counts =
        limits !== null && (limits.sessionsPerClient > 0 || limits.newPerClient !== null);
      return [id, { name, ipv6PrefixBits: counts ? limits.ipv6PrefixBits : null }];
    }),
  );
}
