/** Backends as their probes, and the labels of what is counted, know them. */
import type { IpEndpoint } from '../core/endpoint.js';
import type { HealthTarget } from '../health/target.js';
import { LOCAL_V2, UNKNOWN_V1 } from '../session/proxy_protocol/encode.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

const NO_PRELUDE = new Uint8Array(0);
const PRELUDE = { off: NO_PRELUDE, v1: UNKNOWN_V1, v2: LOCAL_V2 } as const;

/** Events by the state that a backend left `up` for. */
export const DEMOTED = { down: 'backend-down', standby: 'backend-standby' } as const;

/** The labels of a backend. */
export function namesOf(entry: BackendEntry): { readonly pool: string; readonly backend: string } {
  return { pool: entry.pool.key, backend: entry.spec.name };
}

export function targetKey(entry: BackendEntry): string {
  return `${entry.pool.key}/${entry.key}`;
}

/** `source`: the address of this machine to dial from; null: the kernel chooses. */
export function healthTargetOf(entry: BackendEntry, source: IpEndpoint | null): HealthTarget {
  return {
    key: targetKey(entry),
    endpoint: entry.endpoint,
    health: entry.pool.spec.health,
    source,
    prelude: preludeOf(entry.pool),
  };
}

/** A backend that requires PROXY headers gets one from probes too; a probe speaks for itself. */
function preludeOf(pool: PoolEntry): Uint8Array {
  return PRELUDE[pool.spec.settings.sendProxyProtocol];
}
