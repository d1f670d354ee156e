/**
 * What a client would get by a file alone: the code that chooses, over a ledger in which every
 * backend is up and no client is connected.
 */
import type { BackendId, PoolId, WorkerId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import { type Address, type Endpoint, ipEndpoint, WILDCARD_HOSTS } from '../core/endpoint.js';
import type { PoolPlan } from '../core/plan.js';
import type { Random } from '../core/random.js';
import { ranksOf } from '../core/ranks.js';
import type { ListenerSpec, PoolSpec } from '../core/spec.js';
import { createLedgerMemory, Ledger } from '../pool/ledger.js';
import { Pool } from '../pool/pool.js';
import { type ChoiceView, outcomeText } from './explaining.js';

export interface FileAsking {
  readonly listener: ListenerSpec;
  readonly pool: PoolSpec;
  /** Which route leads there, in a sentence. */
  readonly route: string;
  /** Why its address alone is refused, in a sentence; null: it is not. */
  readonly barred: string | null;
  readonly clientKey: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
}

export function choiceByFile(asking: FileAsking): ChoiceView {
  const { listener, pool, route, barred, clientKey, clock, random } = asking;
  const ledger = new Ledger(createLedgerMemory());
  const plan = planOf(pool);
  for (const { id, weight } of plan.backends) {
    ledger.setHealth(id, 'up');
    ledger.setWeight(id, weight);
  }
  const asked = new Pool(plan, {
    ledger,
    worker: 0 as WorkerId,
    clock,
    random,
    freed: () => {},
    ejected: () => {},
  });
  const { members, ...rule } = asked.explain({ clientKey, tried: null }, random);
  const { settings } = pool;
  const chosen = rule.chosen === null ? null : `${pool.name}/${rule.chosen}`;
  const open = { state: 'open', reason: '' } as const;
  const { protocol } = listener;
  return {
    listener: listener.name,
    route,
    pool: pool.name,
    chosen,
    rule: rule.sentence,
    outcome: outcomeText({
      protocol,
      barred,
      listener: open,
      chosen: { chosen, whyNone: rule.whyNone },
      settings,
      held: '',
      queued: 0,
    }),
    backends: members.map((one) => ({ ...one, name: `${pool.name}/${one.name}` })),
  };
}

function planOf(pool: PoolSpec): PoolPlan {
  const { name, settings, backends } = pool;
  const rankOf = ranksOf(pool);
  return {
    id: 0 as PoolId,
    name,
    settings,
    backends: backends.map((backend, index) => ({
      id: index as BackendId,
      name: backend.name,
      endpoint: placeOf(backend.address),
      weight: backend.weight,
      rank: rankOf(backend),
      draining: false,
      yielding: false,
    })),
  };
}

/** No backend is dialled: a name needs no address. */
function placeOf(address: Address): Endpoint {
  return address.kind === 'name' ? ipEndpoint(4, WILDCARD_HOSTS[4], address.port) : address;
}
