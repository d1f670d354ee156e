/** What an operator shall see first although /ready passes, in sentences. */

import type { PoolState } from '../admin/views.js';
import type { SourceState } from '../core/source_snapshot.js';
import type { Daemon } from './daemon.js';
import { type SourceView, sourcesNow } from './discovery_views.js';
import type { PoolEntry } from './inventory.js';
import type { PoolNow } from './pool_now.js';

export interface TroubleParts {
  readonly pools: readonly PoolEntry[];
  /** Sessions that wait for a pool. */
  readonly queued: (pool: PoolEntry) => number;
  readonly stateOf: (pool: PoolEntry) => PoolState;
  readonly sources: readonly SourceView[];
  /** Addresses to dial from that this machine does not have. */
  readonly missingAddresses: ReadonlyMap<string, readonly string[]>;
  /** Files of access lists that cannot be used, so that the lists before them are. */
  readonly keptLists: readonly { readonly listener: string; readonly detail: string }[];
}

/** Those that hold, or have just come, are no reason to get up at night. */
const SOUND: readonly SourceState[] = ['good', 'asking'];

/** Of a daemon at this instant. */
export function troublesNow(
  { inventory, discoveries, board, lists }: Daemon,
  queued: TroubleParts['queued'],
  look: (pool: PoolEntry) => Pick<PoolNow, 'state'>,
): readonly string[] {
  return troublesOf({
    pools: [...inventory.pools.values()].filter(({ tenure }) => tenure === 'kept'),
    queued,
    stateOf: (pool) => look(pool).state,
    sources: sourcesNow(discoveries),
    missingAddresses: board.sources.missing,
    keptLists: lists.kept,
  });
}

export function troublesOf(parts: TroubleParts): readonly string[] {
  return [
    ...parts.pools.flatMap((pool) => refusing(pool, parts)),
    ...parts.sources
      .filter(({ state }) => !SOUND.includes(state))
      .map(
        ({ pool, name, state, reason }) => `pool ${pool}: source ${name} is ${state}: ${reason}`,
      ),
    ...[...parts.missingAddresses].map(([host, pools]) => {
      return `source address ${host} of ${pools.join(', ')} is not on this machine`;
    }),
    ...parts.keptLists.map(({ listener, detail }) => {
      return `listener ${listener} keeps its access list of before: ${detail}`;
    }),
  ];
}

/** A pool without a free place and without room to wait for one. */
function refusing(pool: PoolEntry, { queued, stateOf }: TroubleParts): readonly string[] {
  const { heldAtMost, queueSize } = pool.spec.settings;
  const waiting = queued(pool);
  if (heldAtMost > 0) {
    if (waiting < heldAtMost) return [];
    return [`pool ${pool.key} is held, and ${waiting} wait: further clients are refused`];
  }
  // The state of thousands of backends is not asked for where it cannot be so.
  if (waiting < queueSize || !hasCap(pool) || stateOf(pool) !== 'full') return [];
  const queue = queueSize === 0 ? 'it has no queue' : `its queue of ${queueSize} is full, too`;
  return [`pool ${pool.key} is full, and ${queue}: further clients are refused`];
}

function hasCap({ backends }: PoolEntry): boolean {
  for (const { spec } of backends.values()) if (spec.maxConnections > 0) return true;
  return false;
}
