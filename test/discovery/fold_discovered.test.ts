/** What the file says and what sources have found, as one. */
import t from 'tap';
import type { DiscoverySpec } from '../../src/core/discovery_spec.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { withDiscovered } from '../../src/discovery/fold_discovered.js';
import { backendSpec, listenerSpec, poolSpec, spec } from '../control/fixtures.js';
import { member } from '../discovery/members.js';

const SOURCE: DiscoverySpec = {
  source: { kind: 'file', path: '/x' },
  rules: { holdMs: 0, confirmMs: 0, maxRemovedPercent: 50, whenEmpty: 'keep', limit: 9 },
  maxConnections: 4,
};

t.test('a file without sources is what is desired', async (t) => {
  const file = spec([poolSpec('p')]);
  t.equal(
    withDiscovered(file, () => [member('a')]),
    file,
  );
});

t.test('an address of the file keeps what the file says, and names are given once', async (t) => {
  const ours = {
    ...backendSpec('a'),
    address: ipEndpoint(4, '10.0.0.2', 5432),
    weight: 7,
  };
  const pool = { ...poolSpec('p'), backends: [ours], discovery: [SOURCE] };
  const { pools } = withDiscovered(spec([pool]), () => [
    member('a', { weight: 3, maxConnections: 9 }),
    member('b', { weight: 3 }),
    member('c', { name: null, backup: true }),
  ]);
  t.match(pools[0]?.backends, [
    { name: 'a', weight: 7 },
    { name: '10.0.0.1:5432', weight: 3, maxConnections: 9, backup: false },
    { name: '10.0.0.3:5432', weight: 1, maxConnections: 4, backup: true },
  ]);
  t.equal(pools[0]?.backends.length, 3);
});

t.test('a pool for datagrams has no UNIX sockets', async (t) => {
  const unix = member('a', { address: { kind: 'unix', path: '/s' } });
  const pool = { ...poolSpec('p'), backends: [], discovery: [SOURCE] };
  for (const [protocol, count] of [
    ['tcp', 1],
    ['udp', 0],
  ] as const) {
    const file = spec([pool], [listenerSpec('l', 'p', { protocol })]);
    t.equal(withDiscovered(file, () => [unix]).pools[0]?.backends.length, count);
  }
});
