/** Rows in shared memory are laid out once, at start, for this many and no more. */
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS, MAX_ROUTES } from '../../core/limits.js';
import type { Check, Finding } from './check.js';

export const checkLimits: Check = ({ config }) => {
  const listeners = Object.values(config.listeners);
  const pools = Object.values(config.pools);
  const backends = pools.reduce((sum, pool) => sum + pool.backends.length, 0);
  const routes = listeners.reduce((sum, listener) => sum + listener.routes.length, 0);
  return [
    ...tooMany('listeners', 'listeners', listeners.length, MAX_LISTENERS),
    ...tooMany('pools', 'pools', pools.length, MAX_POOLS),
    ...tooMany('pools', 'backends in all pools', backends, MAX_BACKENDS),
    ...tooMany('listeners', 'routes of all listeners', routes, MAX_ROUTES),
  ];
};

function tooMany(key: string, what: string, count: number, limit: number): readonly Finding[] {
  if (count <= limit) return [];
  const problem = `too many ${what}`;
  return [
    { code: 'too-many', path: [key], problem, expected: `at most ${limit}`, got: `${count}` },
  ];
}
