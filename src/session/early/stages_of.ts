/** Which stages a listener's settings ask for, in order; none looks at bytes unless it does. */

import type { Directions } from '../../core/plan.js';
import { asksHello, asksStart } from '../../core/routes.js';
import type { ListenerSettings } from '../../core/spec.js';
import { postgresStart } from './postgres_start.js';
import { PROXY_HEADER } from './proxy_header.js';
import type { EarlyStage } from './stage.js';
import { TLS_HELLO } from './tls_hello.js';

export function stagesOf(
  settings: ListenerSettings,
  routes: Directions['routes'],
): readonly EarlyStage[] {
  const { trustedProxies, postgres } = settings;
  const reads = { hello: asksHello(routes), start: asksStart(routes) };
  return [
    ...(trustedProxies === null ? [] : [PROXY_HEADER]),
    ...(postgres === null ? [] : [postgresStart(postgres, reads)]),
    ...(reads.hello ? [TLS_HELLO] : []),
  ];
}
