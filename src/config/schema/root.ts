/** The whole configuration: every section under one roof. */
import type { Spec } from '../../core/spec.js';
import { ADMIN, adminSpec } from './admin.js';
import { DAEMON, daemonSpec } from './daemon.js';
import { LISTENER, listenerSpec } from './listener.js';
import { LOG, logSpec } from './log.js';
import { named, table, type ValueOf } from './node.js';
import { POOL, poolSpec } from './pool.js';

export const ROOT = table('sluice, a layer-4 load balancer.', {
  daemon: DAEMON,
  log: LOG,
  admin: ADMIN,
  listeners: named(LISTENER),
  pools: named(POOL),
});

/** A file after defaults were filled in, in the file's own words. */
export type Config = ValueOf<typeof ROOT>;

/** `config` has passed the checks. */
export function specOf(config: Config): Spec {
  return {
    daemon: daemonSpec(config.daemon),
    log: logSpec(config.log),
    admin: adminSpec(config.admin),
    listeners: Object.entries(config.listeners).map(([name, value]) => listenerSpec(name, value)),
    pools: Object.entries(config.pools).map(([name, value]) => poolSpec(name, value)),
    denied: [],
  };
}
