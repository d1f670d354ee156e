/** How an application gets a balancer: from options, or from a pool of the daemon's file. */

import { Balancer } from './balancer.js';
import { OptionsError } from './errors.js';
import { type Machine, thisMachine } from './machine.js';
import type { BalancerOptions } from './options.js';
import { readOptions } from './read_options.js';
import { loadPool } from './toml_pool.js';

/**
 * Resolves when the first backend is proven, or after `connectTimeout` at the latest. Throws an
 * OptionsError that says everything that is wrong with `options`.
 */
export async function createBalancer(
  options: BalancerOptions,
  machine: Machine = thisMachine,
): Promise<Balancer> {
  let present = options;
  const first = readOptions(options);
  const read = (changes: Partial<BalancerOptions>) => {
    const next = { ...present, ...changes };
    const read = readOptions(next);
    if (read.spec.name !== first.spec.name) {
      throw new OptionsError(['name: it stays as it is for as long as the balancer lives']);
    }
    present = next;
    return read;
  };
  return started(new Balancer(first, read, machine));
}

/** The same from `[pools.NAME]` of a file of the daemon. `update()` reads the file again. */
export async function balancerFromToml(
  path: string,
  pool: string,
  machine: Machine = thisMachine,
): Promise<Balancer> {
  const read = (changes: Partial<BalancerOptions> = {}) => {
    if (Object.keys(changes).length === 0) return loadPool(path, pool, machine.waits);
    throw new OptionsError([`this balancer follows ${path}: change that, and call update()`]);
  };
  return started(new Balancer(await read(), read, machine));
}

async function started(balancer: Balancer): Promise<Balancer> {
  await balancer.start();
  return balancer;
}
