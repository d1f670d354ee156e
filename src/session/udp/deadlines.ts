/** When something is due for a UDP flow, and whether it ends then. */
import { unreachable } from '../../core/assert.js';
import type { Cause, End, Stage } from '../../core/outcome.js';
import type { UdpEngine } from '../udp_port.js';
import type { UdpFlow } from './flow.js';

/** When `flow` has been idle for too long, unless a datagram comes. */
function idleAtMs({ id, listener }: UdpFlow, { lastActivityMs }: UdpEngine): number {
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

/** Why `flow` ends now; null: it does not. */
export function whyOver(flow: UdpFlow, engine: UdpEngine, nowMs: number): End | null {
  const { phase, notice } = flow;
  if (notice !== null && notice.atMs <= nowMs) return by('drain', notice.cause);
  if (flow.expiresMs <= nowMs) return by('relay', 'max-age');
  switch (phase.at) {
    case 'unproven':
      return phase.untilMs <= nowMs ? by('select', 'all-down') : null;
    case 'open':
      return idleAtMs(flow, engine) <= nowMs ? by('relay', 'idle-timeout') : null;
    case 'adrift':
      return idleAtMs(flow, engine) <= nowMs ? by('relay', 'backend-down') : null;
    default:
      return unreachable(phase);
  }
}

function by(stage: Stage, cause: Cause): End {
  return { by: 'sluice', stage, cause };
}
