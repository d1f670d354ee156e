/** What one pool must have, and what does not go together in it. */
import { isPrime, nextPrime } from '../../core/prime.js';
import type { Path } from '../path.js';
import { backendName } from '../schema/backend.js';
import type { OutlierValue } from '../schema/outlier.js';
import type { PoolValue } from '../schema/pool.js';
import type { Check, CheckScene, Finding } from './check.js';

export const checkPools: Check = (scene) =>
  Object.entries(scene.config.pools).flatMap(([name, pool]) => {
    const path = ['pools', name];
    return [
      ...backendAddresses(path, pool),
      ...backendNames(scene, path, pool),
      ...weights(path, pool),
      ...queue(path, pool),
      ...hash([...path, 'hash'], pool),
      ...(pool.outlier === undefined ? [] : outlier([...path, 'outlier'], pool.outlier)),
    ];
  });

function backendAddresses(path: Path, pool: PoolValue): readonly Finding[] {
  return pool.backends.flatMap(({ address }, index) => {
    if (address !== undefined) return [];
    const expected = 'where the backend is, as "10.0.0.1:5432"';
    const at = [...path, 'backends', index, 'address'];
    return [{ code: 'missing', path: at, problem: 'missing', expected }];
  });
}

function backendNames(scene: CheckScene, path: Path, pool: PoolValue): readonly Finding[] {
  const owners = new Map<string, number>();
  return pool.backends.flatMap((backend, index) => {
    const name = backendName(backend);
    if (name === undefined) return [];
    const first = owners.get(name);
    if (first === undefined) {
      owners.set(name, index);
      return [];
    }
    const own = [...path, 'backends', index];
    const at = [...own, scene.given([...own, 'name']) ? 'name' : 'address'];
    const problem = `backends[${first}] is called ${name} too`;
    const expected = 'a name that is unique in its pool; the default is the address';
    return [{ code: 'duplicate', path: at, problem, expected }];
  });
}

function weights(path: Path, pool: PoolValue): readonly Finding[] {
  const { backends, discovery } = pool;
  if (backends.length === 0 || discovery.length > 0 || backends.some(({ weight }) => weight > 0))
    return [];
  const problem = 'every backend has weight 0, so none would get a session';
  const expected = 'a weight above 0 in one of them';
  const got = `0 in ${backends.length}`;
  const rests = backends.map((_, index) => [...path, 'backends', index, 'weight']);
  return [{ code: 'conflict', path: [...path, 'backends'], problem, expected, got, rests }];
}

function queue(path: Path, pool: PoolValue): readonly Finding[] {
  // Members may have caps of their own.
  if (pool.discovery.length > 0) return [];
  const { backends, max_connections: poolCap } = pool;
  const hasCap =
    backends.some(({ max_connections: cap }) => (cap ?? poolCap) > 0) ||
    (backends.length === 0 && poolCap > 0);
  if (pool.queue_size === 0 || hasCap) return [];
  const problem = 'no backend has a cap, so none is ever full and no session waits';
  const expected = 'max_connections above 0 in the pool or a backend, or 0';
  const caps = backends.map((_, index) => [...path, 'backends', index, 'max_connections']);
  const rests = [[...path, 'max_connections'], ...caps];
  return [{ code: 'conflict', path: [...path, 'queue_size'], problem, expected, rests }];
}

function hash(path: Path, pool: PoolValue): readonly Finding[] {
  const { table_size: tableSize, balance_factor: factor } = pool.hash;
  const findings: Finding[] = [];
  if (!isPrime(tableSize)) {
    const expected = `a prime, such as ${nextPrime(tableSize)}`;
    const at = [...path, 'table_size'];
    findings.push({ code: 'out-of-range', path: at, problem: 'not a prime', expected });
  } else if (tableSize < pool.backends.length) {
    const problem = `smaller than the number of backends, ${pool.backends.length}`;
    const expected = 'a prime above 100 times that number';
    findings.push({ code: 'conflict', path: [...path, 'table_size'], problem, expected });
  }
  if (factor > 0 && factor < 1) {
    const problem = 'below the mean load, so some clients would have no backend';
    const expected = '0 for off, or 1 and more';
    findings.push({ code: 'out-of-range', path: [...path, 'balance_factor'], problem, expected });
  }
  return findings;
}

function outlier(path: Path, value: OutlierValue): readonly Finding[] {
  const findings: Finding[] = [];
  if (value.max_ejection < value.base_ejection) {
    const problem = 'shorter than base_ejection';
    const rests = [[...path, 'base_ejection']];
    const at = [...path, 'max_ejection'];
    const expected = 'the same or longer';
    findings.push({ code: 'conflict', path: at, problem, expected, rests });
  }
  if (value.latency_factor > 0 && value.latency_factor <= 1) {
    const problem = 'half of all backends are slower than the median';
    const expected = '0 for off, or more than 1';
    findings.push({ code: 'out-of-range', path: [...path, 'latency_factor'], problem, expected });
  }
  return findings;
}
