/** Every check of values together; the order does not matter, issues are sorted by place. */
import { checkBinds } from './binds.js';
import type { Check } from './check.js';
import { checkHealth } from './health.js';
import { checkLimits } from './limits.js';
import { checkListeners } from './listeners.js';
import { checkPools } from './pools.js';
import { checkRoutes } from './routes.js';

export const CHECKS: readonly Check[] = [
  checkListeners,
  checkBinds,
  checkRoutes,
  checkPools,
  checkHealth,
  checkLimits,
];
