/** tcp: the backend's kernel completes the handshake. Says nothing about the program behind it. */
import type { Probe, ProbeResult } from '../probe.js';
import type { Converse, ProbeConnection } from './connection.js';
import { fullSuccess } from './failed.js';

export const tcpProbe = (converse: Converse): Probe => ({
  attempt: (target, signal) => converse(target, signal, closed, 'nothing'),
});

async function closed(connection: ProbeConnection): Promise<ProbeResult> {
  // Plainly: PostgreSQL, HAProxy and others write a line for each reset.
  await connection.finish();
  return fullSuccess();
}
