/** Why a client that came to a listener now would be refused for its address, and nothing else. */
import { AccessList } from '../core/access_table.js';
import { inBlocks } from '../core/address_block.js';
import { addressKey } from '../core/address_key.js';
import { accountOf } from '../core/deviation.js';
import type { Peer } from '../core/endpoint.js';
import { type ClientTable, TOO_FAST, TOO_MANY } from '../pool/client_table.js';
import { Limiter } from '../session/limiter.js';
import type { AccessLists } from './access_lists.js';
import { deniedBy } from './desired/fold.js';
import type { Override } from './desired/override.js';
import type { ListenerEntry } from './inventory.js';

export interface BarringDeps {
  readonly lists: AccessLists;
  /** Overrides of operators, of which some may deny clients. */
  readonly denials: readonly Override[];
  readonly clients: ClientTable;
  readonly nowMs: number;
}

export interface Barring {
  /** Why it is refused, in a sentence; null: nothing is against it. */
  readonly barred: string | null;
  /** What a dry run would refuse it for, in sentences to go on with; '': nothing. */
  readonly tried: string;
}

/** By the order in which it meets them: operators, the access list, the limits. */
export function barringOf(
  listener: ListenerEntry,
  client: Peer,
  { lists, denials, clients, nowMs }: BarringDeps,
): Barring {
  if (client.kind === 'unix') return { barred: null, tried: '' };
  const address = addressKey(client);
  const { denied } = lists;
  if (denied !== null && new AccessList(denied).refusal(address) !== null) {
    return { barred: `It is refused: ${denialOf(client, denials)}.`, tried: '' };
  }
  const table = lists.tableOf(listener.key);
  const refusal = table === null ? null : new AccessList(table).refusal(address);
  const byList = refusal === null ? null : `${refusal}, by the listener's access list`;
  const limiter = Limiter.of({ id: listener.id, settings: listener.spec.settings }, clients);
  const byLimits = limiter === null ? null : limitedBecause(limiter, client, nowMs);
  const rules = [
    { why: byList, isTried: table?.dryRun === true },
    { why: byLimits, isTried: limiter?.spec.dryRun === true },
  ];
  const first = rules.find(({ why, isTried }) => why !== null && !isTried);
  const tried = rules.filter(({ why, isTried }) => why !== null && isTried);
  return {
    barred: first === undefined ? null : `It is refused: ${first.why}.`,
    tried: tried.map(({ why }) => ` Without dry_run it would be refused: ${why}.`).join(''),
  };
}

/** `10.0.0.0/8 is denied by ada: a flood (since …)` */
function denialOf(client: Peer, denials: readonly Override[]): string {
  const one = denials.find((denial) => inBlocks(deniedBy(denial))(client));
  return one === undefined ? 'denied' : `${one.value} is ${accountOf(one)}`;
}

function limitedBecause(limiter: Limiter, client: Peer, nowMs: number): string | null {
  const { sessionsPerClient, newPerClient } = limiter.spec;
  switch (limiter.look(client, nowMs)) {
    case TOO_MANY:
      return `too-many-sessions, it has ${sessionsPerClient} already`;
    case TOO_FAST: {
      const { count = 0, perMs = 0, burst = 0 } = newPerClient ?? {};
      const rate = `${count} in ${perMs / 1_000} s, ${burst} of them at once`;
      return `too-fast, for it has just begun as many as it may (${rate})`;
    }
    default:
      return null;
  }
}
