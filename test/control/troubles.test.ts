/** What `status` says first, although every listener has a pool that can serve. */
import t from 'tap';
import type { PoolState } from '../../src/admin/views.js';
import { type TroubleParts, troublesOf } from '../../src/control/troubles.js';
import { backendSpec, inventory, poolSpec, resolved, spec } from './fixtures.js';

function partsWith(change: Partial<TroubleParts>): TroubleParts {
  return {
    pools: [],
    queued: () => 0,
    stateOf: () => 'up',
    sources: [],
    missingAddresses: new Map(),
    keptLists: [],
    ...change,
  };
}

function poolWith(settings: { readonly queueSize?: number; readonly heldAtMost?: number }) {
  const all = inventory();
  const backends = [backendSpec('b1', { maxConnections: 5 })];
  all.apply(spec([poolSpec('pg', { ...settings, backends })]), resolved);
  return [...all.pools.values()];
}

t.test('a pool that refuses is one without a place and without room to wait', async (t) => {
  const cases: readonly (readonly [Parameters<typeof poolWith>[0], PoolState, number, string[]])[] =
    [
      [{}, 'up', 0, []],
      [{}, 'full', 0, ['pool pg is full, and it has no queue: further clients are refused']],
      [{ queueSize: 2 }, 'full', 1, []],
      [
        { queueSize: 2 },
        'full',
        2,
        ['pool pg is full, and its queue of 2 is full, too: further clients are refused'],
      ],
      [{ queueSize: 2 }, 'up', 2, []],
      [{ heldAtMost: 3 }, 'full', 2, []],
      [{ heldAtMost: 3 }, 'up', 3, ['pool pg is held, and 3 wait: further clients are refused']],
    ];
  for (const [settings, state, queued, told] of cases) {
    const parts = { pools: poolWith(settings), queued: () => queued, stateOf: () => state };
    t.strictSame(troublesOf(partsWith(parts)), told, JSON.stringify([settings, state, queued]));
  }
});

t.test('sources, addresses and lists that are missing are named', async (t) => {
  const source = { pool: 'pg', name: 'dns db.example.org', reason: 'it does not answer' };
  const told = troublesOf(
    partsWith({
      sources: [
        { ...source, state: 'good' },
        { ...source, state: 'failed' },
      ],
      missingAddresses: new Map([['10.0.0.9', ['pg', 'redis']]]),
      keptLists: [{ listener: 'app', detail: '/x: no such file' }],
    }),
  );
  t.strictSame(told, [
    'pool pg: source dns db.example.org is failed: it does not answer',
    'source address 10.0.0.9 of pg, redis is not on this machine',
    'listener app keeps its access list of before: /x: no such file',
  ]);
});
