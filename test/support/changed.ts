/** Plans and Specs for tests: as the schema has them by default, but for what a test is about. */
import type { ListenerSettings, PoolSettings } from '../../src/core/spec.js';
import { loadSpec } from './load_spec.js';

const SMALLEST = `
[listeners.l]
bind = "127.0.0.1:0"
pool = "p"
[pools.p]
[[pools.p.backends]]
address = "127.0.0.1:1"
`;

interface WithSettings {
  readonly settings: object;
}

/** Settings and what stands beside them, in one list. */
export type Change<Thing extends WithSettings> = Partial<
  Omit<Thing, 'settings'> & Thing['settings']
>;

export function changed<Thing extends WithSettings>(thing: Thing, change: Change<Thing>): Thing {
  const isSetting = (key: string): boolean => Object.hasOwn(thing.settings, key);
  const all = Object.entries(change);
  const settings = Object.fromEntries(all.filter(([key]) => isSetting(key)));
  const rest = Object.fromEntries(all.filter(([key]) => !isSetting(key)));
  return { ...thing, ...rest, settings: { ...thing.settings, ...settings } };
}

const spec = loadSpec(SMALLEST);

export function poolSettings(change: Partial<PoolSettings> = {}): PoolSettings {
  const [pool] = spec.pools;
  if (pool === undefined) throw new Error('the smallest file has a pool');
  return { ...pool.settings, ...change };
}

export function listenerSettings(change: Partial<ListenerSettings> = {}): ListenerSettings {
  const [listener] = spec.listeners;
  if (listener === undefined) throw new Error('the smallest file has a listener');
  return { ...listener.settings, ...change };
}
