/**
 * udp: sends a datagram. With `expect`, the answer must contain it. Without, anything but an ICMP
 * error within the timeout will do: that is all that UDP says about a service which stays silent.
 */
import type { ProbeSpec } from '../../core/health_spec.js';
import { quoted } from '../../secrets/quote.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { Probe, ProbeResult } from '../probe.js';
import { exchangeDatagrams, timedOut } from './datagram.js';
import { fullSuccess, ProbeFailed } from './failed.js';

type UdpSpec = Extract<ProbeSpec, { kind: 'udp' }>;

export function udpProbe({ send, expect }: UdpSpec, redactor: Redactor): Probe {
  redactor.learnWords(send);
  const wanted = expect === null ? '' : `"${quoted(expect)}"`;
  const answered = (datagram: Buffer): ProbeResult => {
    if (expect === null || datagram.indexOf(expect) >= 0) return fullSuccess();
    throw new ProbeFailed('wrong-answer', `expected ${wanted}, got "${quoted(datagram)}"`);
  };
  const silence = (): ProbeResult =>
    expect === null ? fullSuccess('no answer, no objection') : timedOut(wanted);
  return {
    attempt: (target, signal) =>
      exchangeDatagrams(target, signal, { payload: send, answered, silence }),
  };
}
