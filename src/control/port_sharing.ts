/** Can several workers listen on one port here? It takes SO_REUSEPORT, by whoever can set it. */
import type { Kernel } from '../kernel/foreign.js';

export type PortSharing = 'possible' | 'impossible';

/** `nodeVersion` as in process.versions: from 22.12 and 23.1 on node:net has `reusePort`. */
export function portSharing(
  kernel: Kernel | null,
  nodeVersion: string = process.versions.node,
): PortSharing {
  return kernel !== null || hasReusePort(nodeVersion) ? 'possible' : 'impossible';
}

function hasReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
