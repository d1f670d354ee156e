/** Every check of values together; the order does not matter, issues are sorted by place. */
import { checkAdmin } from './admin.js';
import { checkBinds } from './binds.js';
import type { Check } from './check.js';
import { warnOfRoutes } from './dead_routes.js';
import { checkDiscovery } from './discovery.js';
import { checkHealth } from './health.js';
import { checkLimits } from './limits.js';
import { checkListeners } from './listeners.js';
import { warnOfLoops } from './loops.js';
import { checkPools } from './pools.js';
import { checkRoutes } from './routes.js';
import { warnOfSources } from './sources.js';
import {
  warnOfClients,
  warnOfFiles,
  warnOfPools,
  warnOfToken,
  warnOfUdpProbes,
} from './warnings.js';

export const CHECKS: readonly Check[] = [
  checkListeners,
  checkBinds,
  checkAdmin,
  checkRoutes,
  checkPools,
  checkHealth,
  checkDiscovery,
  checkLimits,
];

/** What is allowed, and nearly always a mistake. */
export const WARNINGS: readonly Check[] = [
  warnOfClients,
  warnOfFiles,
  warnOfToken,
  warnOfPools,
  warnOfRoutes,
  warnOfUdpProbes,
  warnOfSources,
  warnOfLoops,
];
