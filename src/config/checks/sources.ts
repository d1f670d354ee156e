/** Addresses that a pool dials from (`source`), beside those that it dials. */
import { formatAddress, isLoopback } from '../../core/endpoint.js';
import type { Path } from '../path.js';
import type { PoolValue } from '../schema/pool.js';
import type { Check, Finding } from './check.js';

export const warnOfSources: Check = ({ config }) =>
  Object.entries(config.pools).flatMap(([name, pool]) => {
    const path = ['pools', name];
    return pool.source.length === 0 ? [] : [...unfit(path, pool), ...closedIn(path, pool)];
  });

/** The kernel chooses then, as without the key: one finding for the first of each family. */
function unfit(path: Path, { source, backends }: PoolValue): readonly Finding[] {
  return ([4, 6] as const).flatMap((family): readonly Finding[] => {
    if (source.some((one) => one.family === family)) return [];
    const index = backends.findIndex(
      ({ address }) => address?.kind === 'ip' && address.family === family,
    );
    if (index < 0) return [];
    return [
      {
        code: 'unlikely',
        path: [...path, 'backends', index, 'address'],
        problem: `no address of source is IPv${family}, so the kernel chooses from where it is dialled`,
        expected: `an IPv${family} address in source as well`,
        rests: [[...path, 'source']],
      },
    ];
  });
}

/** From an address of the loopback's the kernel sends nothing to other machines. */
function closedIn(path: Path, { source, backends }: PoolValue): readonly Finding[] {
  return source.flatMap((one, index): readonly Finding[] => {
    if (!isLoopback(one)) return [];
    const far = backends.find(
      ({ address }) =>
        address?.kind === 'ip' && address.family === one.family && !isLoopback(address),
    );
    if (far?.address === undefined) return [];
    return [
      {
        code: 'unlikely',
        path: [...path, 'source', index],
        problem: `from a loopback address ${formatAddress(far.address)} cannot be reached`,
        expected: 'an address at which the backends can answer',
        rests: [[...path, 'backends']],
      },
    ];
  });
}
