/** How an application gets a balancer: from options, or from a pool of the daemon's file. */

import { Balancer } from './balancer.js';
import { OptionsError } from './errors.js';
import { type Machine, thisMachine } from './machine.js';
import type { BalancerOptions } from './options.js';
import { type ReadOptions, readOptions } from './read_options.js';
import { loadPool } from './toml_pool.js';

/**
 * Resolves when the first backend is proven, or after `connectTimeout` at the latest. Throws an
 * OptionsError that says everything that is wrong with `options`.
 */
export async function createBalancer(
  options: BalancerOptions,
  machine: Machine = thisMachine,
): Promise<Balancer> {
  let inUse = readOptions(options);
  mustNameBackends(options);
  let present = copyOf(options);
  const read = (changes: Partial<BalancerOptions>) => {
    const next = { ...present, ...changes };
    const read = readOptions(next);
    if (read.spec.name !== inUse.spec.name) {
      throw new OptionsError(['name: it stays as it is for as long as the balancer lives']);
    }
    mustLeaveBackends(inUse, read);
    present = copyOf(next);
    inUse = read;
    return read;
  };
  return started(new Balancer(inUse, read, machine));
}

/** The same from `[pools.NAME]` of a file of the daemon. `update()` reads the file again. */
export async function balancerFromToml(
  path: string,
  pool: string,
  machine: Machine = thisMachine,
): Promise<Balancer> {
  let inUse = await loadPool(path, pool, machine.waits);
  const read = async (changes: Partial<BalancerOptions>) => {
    if (Object.keys(changes).length > 0) {
      throw new OptionsError([`this balancer follows ${path}: change that, and call update()`]);
    }
    const read = await loadPool(path, pool, machine.waits);
    mustLeaveBackends(inUse, read);
    inUse = read;
    return read;
  };
  return started(new Balancer(inUse, read, machine));
}

/**
 * What the application does to its own lists afterwards is no part of the next `update`. Options
 * that were read are plain data, but for registries.
 */
function copyOf({ discovery, ...plain }: BalancerOptions): BalancerOptions {
  const copy: BalancerOptions = structuredClone(plain);
  if (discovery === undefined) return copy;
  return { ...copy, discovery: Array.isArray(discovery) ? [...discovery] : discovery };
}

/** Options without both keys are a slip; an empty list says that `update` will name backends. */
function mustNameBackends({ backends, discovery }: BalancerOptions): void {
  if (backends !== undefined || discovery !== undefined) return;
  const expected = 'backends or discovery; backends: [] if they come by update()';
  throw new OptionsError([`options: no backend is named (expected ${expected}; got neither)`]);
}

/** A list that came out empty is a slip far more often than a wish; `close` ends a balancer. */
function mustLeaveBackends(before: ReadOptions, after: ReadOptions): void {
  if (!namesBackends(before) || namesBackends(after)) return;
  const expected = 'a backend or a source, or close() to end the balancer';
  throw new OptionsError([`backends: none would be left (expected ${expected}; got none)`]);
}

function namesBackends({ spec, registries }: ReadOptions): boolean {
  return spec.backends.length + spec.discovery.length + registries.length > 0;
}

async function started(balancer: Balancer): Promise<Balancer> {
  await balancer.start();
  return balancer;
}
