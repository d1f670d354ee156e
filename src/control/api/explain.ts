/** `GET /v1/explain`: what a client that comes to a listener now would get, and why. */
import { parseClient } from '../../config/client_word.js';
import { addressKey } from '../../core/address_key.js';
import { err, ok } from '../../core/result.js';
import { explainChoice } from '../explaining.js';
import type { ApiDeps } from './all.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { findListener, findPool } from './names.js';
import { badRequest, faultsOf, refused } from './problem.js';
import { figure, flag, list, nullable, record, text } from './shape.js';

export const EXPLANATION = record({
  listener: text('Where the client comes in.'),
  pool: text('The pool that it is led to.'),
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
});

export function explainEndpoint({ daemon, ledger }: Pick<ApiDeps, 'daemon' | 'ledger'>): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/explain',
    summary: 'Which backend a client would get now, by which rule, and why not the others.',
    may: 'look',
    query: {
      listener: text('Its name.'),
      client: text('The address of the client, with a port or without.'),
    },
    answer: EXPLANATION,
    handle: async ({ query }) => {
      const listener = findListener(daemon.inventory, query.listener);
      if (!listener.ok) return listener;
      const pool = findPool(daemon.inventory, listener.value.spec.pool);
      if (!pool.ok) return pool;
      const client = parseClient(query.client);
      if (!client.ok) return err(badRequest(`client: ${query.client} is ${faultsOf(client)}.`));
      const choice = await explainChoice({
        inquiries: daemon.inquiries,
        ledger,
        listener: listener.value,
        listenerNow: daemon.watch.listener(listener.value),
        pool: pool.value,
        clientKey: addressKey(client.value),
      });
      if (choice === null) return err(refused('No worker has answered in time.'));
      const { backends, ...rest } = choice;
      const shown = backends.map(({ name, reason, score }) => ({
        backend: name,
        eligible: reason === null,
        reason,
        score,
      }));
      return ok({ value: { ...rest, backends: shown } });
    },
  });
}
