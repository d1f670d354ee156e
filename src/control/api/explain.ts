/** `GET /v1/explain`: what a client that comes to a listener now would get, and why. */
import { parseClient } from '../../config/client_word.js';
import { addressKey } from '../../core/address_key.js';
import { accountOf } from '../../core/deviation.js';
import type { ExplainedMember } from '../../core/questions.js';
import { err, ok } from '../../core/result.js';
import { barringOf } from '../barring.js';
import type { Override } from '../desired/override.js';
import { explainChoice, refusedView } from '../explaining.js';
import { askingOf, contradictionIn, routeOf } from '../route_choice.js';
import type { ApiDeps } from './all.js';
import { OVERRIDE, shownOverride } from './changing.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { findListener, findPool } from './names.js';
import { badRequest, faultsOf, refused } from './problem.js';
import { figure, flag, list, nullable, optional, record, text } from './shape.js';

export const EXPLANATION = record({
  listener: text('Where the client comes in.'),
  route: text('By which route, in a sentence.', 2_000),
  pool: text('The pool that it is led to; empty: it is refused.'),
  chosen: nullable(text('`POOL/BACKEND`; null: none.')),
  rule: text('By which rule, in a sentence.', 2_000),
  outcome: text('What becomes of the session: limits and the queue have their say.', 2_000),
  backends: list(
    'All of the pool.',
    record({
      backend: text('`POOL/BACKEND`.'),
      eligible: flag('It may get the session.'),
      reason: nullable(text('Why not, in one word; null: it may.')),
      score: nullable(figure('What the rule compares it by: the least wins. null: nothing.')),
    }),
  ),
  overrides: list('What operators have changed of the pool and its backends.', OVERRIDE),
});

const QUERY = {
  listener: text('Its name.'),
  client: text('The address of the client, with a port or without.'),
  server_name: optional(text('The name in its TLS hello.')),
  alpn: optional(text('The protocols in its TLS hello, with commas between them.')),
  database: optional(text('The database of a Postgres client; else its user.')),
  user: optional(text('The user of a Postgres client.')),
  application: optional(text('The application_name of a Postgres client.')),
};

export function explainEndpoint({
  daemon,
  ledger,
  clients,
}: Pick<ApiDeps, 'daemon' | 'ledger' | 'clients'>): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/explain',
    summary: 'Which backend a client would get now, by which rule, and why not the others.',
    may: 'look',
    query: QUERY,
    answer: EXPLANATION,
    fails: [404, 409],
    handle: async ({ query }) => {
      const listener = findListener(daemon.inventory, query.listener);
      if (!listener.ok) return listener;
      const client = parseClient(query.client);
      if (!client.ok) return err(badRequest(`client: ${query.client} is ${faultsOf(client)}.`));
      const told = { ...query, serverName: query.server_name };
      const contradiction = contradictionIn(told);
      if (contradiction !== null) return err(badRequest(`query: ${contradiction}.`));
      const { spec } = listener.value;
      const { lists, inquiries, desires } = daemon;
      const now = { lists, denials: desires.ofDaemon, clients, nowMs: inquiries.nowMs() };
      const { barred, tried } = barringOf(listener.value, client.value, now);
      const route = routeOf(spec, askingOf(client.value, told));
      if (route.pool === null) {
        const refused = refusedView(spec.name, route.sentence, barred);
        const outcome = `${refused.outcome}${tried}`;
        return ok({ value: { ...refused, outcome, backends: [], overrides: [] } });
      }
      const pool = findPool(daemon.inventory, route.pool);
      if (!pool.ok) return pool;
      const choice = await explainChoice({
        route: route.sentence,
        inquiries,
        ledger,
        listener: listener.value,
        listenerNow: daemon.watch.listener(listener.value),
        pool: pool.value,
        clientKey: addressKey(client.value),
        barred,
        held: desires.holdOf(route.pool).map(accountOf).join(''),
      });
      if (choice === null) return err(refused('No worker has answered in time.'));
      const { backends, ...rest } = choice;
      const outcome = `${rest.outcome}${tried}`;
      const overrides = ofPool(desires.overrides, rest.pool);
      return ok({ value: { ...rest, outcome, backends: backends.map(shown), overrides } });
    },
  });
}

function ofPool(all: readonly Override[], pool: string) {
  return all.filter((one) => one.pool === pool).map(shownOverride);
}

function shown({ name, reason, score }: ExplainedMember) {
  return { backend: name, eligible: reason === null, reason, score };
}
