/** Flows that end before their time, and when: for their backend, or at a socket that is left. */
import type { BackendId } from '../../core/brand.js';
import { noticeBy } from '../due.js';
import type { UdpEngine } from '../udp_port.js';
import type { UdpFlow } from './flow.js';

/**
 * How long replies are waited for that are owed at a socket that was handed over: as long as
 * resolvers wait by default (resolv.conf(5), timeout).
 */
export const OWED_MS = 5_000;

/** A reply is due for some datagram, or the datagram itself waits for a backend. */
export function isOwed({ id, phase }: UdpFlow, engine: UdpEngine): boolean {
  if (phase.at !== 'open') return phase.at === 'unproven';
  return (engine.datagramsIn[id] ?? 0) > (engine.datagramsOut[id] ?? 0);
}

/** Another worker receives what the client sends; the flow ends by `untilMs`. */
export function handOver(flow: UdpFlow, untilMs: number): UdpFlow {
  flow.socket = 'handed over';
  noticeBy(flow, { atMs: untilMs, cause: 'drained', backend: null, order: 'final' });
  return flow;
}

/** The flows at `backend` (null: all of `flows`), those first that have been idle longest. */
export function longestIdle(
  flows: readonly UdpFlow[],
  backend: BackendId | null,
  { lastActivityMs }: UdpEngine,
): UdpFlow[] {
  const isAt = ({ phase }: UdpFlow): boolean =>
    backend === null || (phase.at === 'open' && phase.lease.id === backend);
  const idleSince = ({ id }: UdpFlow): number => lastActivityMs[id] ?? 0;
  return flows.filter(isAt).sort((a, b) => idleSince(a) - idleSince(b));
}
