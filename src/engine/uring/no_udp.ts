/** Stands where the UDP half will be: listeners say that it is missing. */
import type { UdpEngine } from '../../session/udp_port.js';

const NONE = new Float64Array(0);

export function noUdp(): UdpEngine {
  const never = (): never => {
    throw new Error('no UDP listener was opened');
  };
  return {
    lastActivityMs: NONE,
    bytesIn: NONE,
    bytesOut: NONE,
    datagramsIn: NONE,
    datagramsOut: NONE,
    capacity: 1,
    openListener: async () => ({ ok: false, errno: 'ENOSYS', sentence: 'UDP needs engine "node"' }),
    setFraming: never,
    closeListener: never,
    client: never,
    local: never,
    openFlow: never,
    closeFlow: never,
  };
}
