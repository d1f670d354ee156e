/** Which stages a listener's settings ask for, in order; none looks at bytes unless it does. */
import type { ListenerPlan } from '../../core/plan.js';
import { postgresStart } from './postgres_start.js';
import { PROXY_HEADER } from './proxy_header.js';
import type { Stage } from './stage.js';

export function stagesOf({ settings }: ListenerPlan): readonly Stage[] {
  return [
    ...(settings.trustedProxies === null ? [] : [PROXY_HEADER]),
    ...(settings.postgres === null ? [] : [postgresStart(settings.postgres)]),
  ];
}
