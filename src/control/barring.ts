/** Why a client that came to a listener now would be refused for its address, and nothing else. */
import { AccessList } from '../core/access_table.js';
import { addressKey } from '../core/address_key.js';
import type { Endpoint } from '../core/endpoint.js';
import { type ClientTable, TOO_FAST, TOO_MANY } from '../pool/client_table.js';
import { Limiter } from '../session/limiter.js';
import type { AccessLists } from './access_lists.js';
import type { ListenerEntry } from './inventory.js';

export interface BarringDeps {
  readonly lists: AccessLists;
  readonly clients: ClientTable;
  readonly nowMs: number;
}

/** A sentence; null: nothing is against it. What is only tried refuses nobody. */
export function barredBecause(
  { id, key, spec }: ListenerEntry,
  client: Endpoint,
  { lists, clients, nowMs }: BarringDeps,
): string | null {
  if (client.kind === 'unix') return null;
  const address = addressKey(client);
  const { denied } = lists;
  if (denied !== null && new AccessList(denied).refusal(address) !== null) {
    return 'It is refused: denied, by an order of an operator (sluice ctl overrides).';
  }
  const table = lists.tableOf(key);
  const refusal = table === null || table.dryRun ? null : new AccessList(table).refusal(address);
  if (refusal !== null) return `It is refused: ${refusal}, by the listener's access list.`;
  const { settings } = spec;
  const limiter = Limiter.of({ id, settings }, clients);
  if (limiter === null || limiter.spec.dryRun) return null;
  const { sessionsPerClient, newPerClient } = limiter.spec;
  switch (limiter.look(client, nowMs)) {
    case TOO_MANY:
      return `It is refused: too-many-sessions, it has ${sessionsPerClient} already.`;
    case TOO_FAST: {
      const { count = 0, perMs = 0, burst = 0 } = newPerClient ?? {};
      const rate = `${count} in ${perMs / 1_000} s, ${burst} of them at once`;
      return `It is refused: too-fast, for it has just begun as many as it may (${rate}).`;
    }
    default:
      return null;
  }
}
