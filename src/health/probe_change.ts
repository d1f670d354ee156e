/** What a new definition of a target changes: nothing, its schedule, or what is asked of it. */
import { isDeepStrictEqual } from 'node:util';
import { sameAddress } from '../core/endpoint.js';
import type { HealthTarget } from './target.js';

export function sameEndpoint(a: HealthTarget, b: HealthTarget): boolean {
  return sameAddress(a.endpoint, b.endpoint);
}

export type ProbeChange = 'none' | 'schedule' | 'probe';

export function probeChange(before: HealthTarget, target: HealthTarget): ProbeChange {
  if (!isDeepStrictEqual(probed(before), probed(target))) return 'probe';
  return isDeepStrictEqual(before.health, target.health) ? 'none' : 'schedule';
}

/** What an attempt depends on; the rest of a definition is schedule. */
export function probed(target: HealthTarget): unknown {
  return [target.health.probe, target.health.port, target.prelude, target.source];
}
