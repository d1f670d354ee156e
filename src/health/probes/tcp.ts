/** tcp: the backend's kernel completes the handshake. Says nothing about the program behind it. */
import type { Probe } from '../probe.js';
import type { Converse } from './connection.js';
import { whole } from './failed.js';

export const tcpProbe = (converse: Converse): Probe => ({
  attempt: (target, signal) =>
    converse(target, signal, async (connection) => {
      // Plainly: PostgreSQL, HAProxy and others write a line for each reset.
      await connection.finish();
      return whole();
    }),
});
