/** Stands where the UDP half will be: no flow can be opened. */
import type { NodeUdpPort } from './engine.js';

const NONE = new Float64Array(0);

export function noUdp(): NodeUdpPort {
  const never = (): never => {
    throw new Error('UDP is not in this version');
  };
  return {
    lastActivityMs: NONE,
    bytesIn: NONE,
    bytesOut: NONE,
    datagramsIn: NONE,
    datagramsOut: NONE,
    capacity: 1,
    openListener: never,
    setFraming: never,
    closeListener: never,
    client: never,
    local: never,
    openFlow: never,
    closeFlow: never,
    attach: () => undefined,
    stop: () => undefined,
  };
}
