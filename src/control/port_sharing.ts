/** Can several workers listen on one port here? It takes SO_REUSEPORT, by whoever can set it. */
import { hasReusePort } from '../engine/node/reuse_port.js';
import type { Kernel } from '../kernel/foreign.js';

export type PortSharing = 'possible' | 'impossible';

/** `nodeVersion` as in process.versions. */
export function portSharing(
  kernel: Kernel | null,
  nodeVersion: string = process.versions.node,
): PortSharing {
  return kernel !== null || hasReusePort(nodeVersion) ? 'possible' : 'impossible';
}
