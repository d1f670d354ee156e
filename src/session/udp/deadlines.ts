/** When something is due for a UDP flow. */
import type { UdpEngine } from '../udp_port.js';
import type { UdpFlow } from './flow.js';

/** When `flow` has been idle for too long, unless a datagram comes. */
export function idleAtMs({ id, listener }: UdpFlow, { lastActivityMs }: UdpEngine): number {
  return (lastActivityMs[id] ?? 0) + listener.plan.settings.idleTimeoutMs;
}

/**
 * The earliest of notice, age and patience; idleness is looked at only when its time may have
 * come.
 */
export function nextMs(flow: UdpFlow, engine: UdpEngine): number {
  const { phase, notice, expiresMs } = flow;
  const patientMs = phase.at === 'unproven' ? phase.untilMs : idleAtMs(flow, engine);
  return Math.min(patientMs, expiresMs, notice?.atMs ?? Number.POSITIVE_INFINITY);
}

/** Until when it waits for a backend; Infinity in a held pool, 0: it does not wait. */
export function patienceMs({ phase }: UdpFlow): number {
  return phase.at === 'unproven' ? phase.untilMs : 0;
}
