/** One pool of a file that the daemon reads as well. */
import { formatIssue } from '../config/issue.js';
import { readConfig } from '../config/read_config.js';
import type { Timers } from '../core/clock.js';
import { OptionsError } from './errors.js';
import type { ReadOptions } from './read_options.js';

export async function loadPool(path: string, pool: string, timers: Timers): Promise<ReadOptions> {
  const read = await readConfig(path, timers);
  if (!read.ok) throw new OptionsError(read.error.map(formatIssue));
  const { pools } = read.value.spec;
  const found = pools.find(({ name }) => name === pool);
  if (found !== undefined) return { spec: found, registries: [] };
  const names = pools.map(({ name }) => name).join(', ') || 'none';
  throw new OptionsError([`${path}: no such pool (expected one of: ${names}; got "${pool}")`]);
}
