/**
 * Can several workers listen on one port here? It takes SO_REUSEPORT, set by Node.js or by foreign
 * calls.
 */
import { hasReusePort, REUSE_PORT_SINCE } from '../engine/node/reuse_port.js';
import type { Kernel } from '../kernel/foreign.js';

/** Why there is one worker, and what helps. */
export const NO_SHARING = `neither foreign calls nor ${REUSE_PORT_SINCE} let workers share a port`;
export const SHARING_REMEDY = `Install the optional dependency koffi (\`npm ci\`), or use ${REUSE_PORT_SINCE} or later.`;

export type PortSharing = 'possible' | 'impossible';

/** `nodeVersion` as in process.versions. */
export function portSharing(
  kernel: Kernel | null,
  nodeVersion: string = process.versions.node,
): PortSharing {
  return kernel !== null || hasReusePort(nodeVersion) ? 'possible' : 'impossible';
}
