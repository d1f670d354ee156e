/** tls: the handshake completes, with the certificate checked if asked for. */
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock.js';
import type { ProbeSpec } from '../../core/health_spec.js';
import type { Probe, ProbeResult } from '../probe.js';
import type { Converse } from './connection.js';
import { fullSuccess } from './failed.js';

type TlsSpec = Extract<ProbeSpec, { kind: 'tls' }>;

const DAY_MS = 86_400_000;

export function tlsProbe(spec: TlsSpec, converse: Converse, clock: Clock): Probe {
  return {
    attempt: (target, signal) =>
      converse(target, signal, async (connection): Promise<ProbeResult> => {
        const secure = await connection.startTls(spec.tls);
        const warning = expiryWarning(secure, clock.wallMs(), spec.expiryWarningMs);
        await connection.finish();
        return warning === '' ? fullSuccess() : { ...fullSuccess(warning), warning };
      }),
  };
}

/**
 * What people should know about the certificate's end; nothing when it is further off than the
 * warning.
 */
function expiryWarning(secure: TLSSocket, nowMs: number, warningMs: number): string {
  const leftMs = Date.parse(secure.getPeerCertificate().valid_to) - nowMs;
  // NaN (no certificate) compares as false.
  if (!(leftMs < warningMs)) return '';
  const days = Math.floor(Math.abs(leftMs) / DAY_MS);
  return leftMs < 0 ? `certificate ended ${days} days ago` : `certificate ends in ${days} days`;
}
