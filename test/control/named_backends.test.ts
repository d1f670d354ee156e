import t from 'tap';
import { namedBackends } from '../../src/control/named_backends.js';
import type { PoolSpec } from '../../src/core/spec.js';
import { backendSpec, poolSpec, spec } from './fixtures.js';

const address = { kind: 'name', host: 'db', port: 5432 } as const;

t.test('backends with names are found in all pools, others are not', async (t) => {
  const named = backendSpec('b', { address });
  const pools = [
    poolSpec('p', { backends: [backendSpec('a'), named] }),
    poolSpec('q', { backends: [backendSpec('a')] }),
    poolSpec('r', { backends: [named] }),
  ];
  t.same(namedBackends(spec(pools)), [
    { pool: 'p', name: 'b', address },
    { pool: 'r', name: 'b', address },
  ]);
});

t.test('however often names are asked for, backends without one are read once', async (t) => {
  let reads = 0;
  const pool: PoolSpec = Object.defineProperty(poolSpec('p'), 'backends', {
    get: () => {
      reads++;
      return [backendSpec('a')];
    },
  });
  const one = spec([pool]);
  for (let look = 0; look < 3; look++) t.same(namedBackends(one), []);
  t.same(namedBackends({ ...one }), [], 'another Spec with the same pools');
  t.equal(reads, 1);
});
