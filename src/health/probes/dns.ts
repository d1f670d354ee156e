/** dns: asks one question over UDP; the response code decides. */
import { DNS_TYPES } from '../../core/dns_codes.js';
import type { ProbeSpec } from '../../core/health_spec.js';
import { below, type Random } from '../../core/random.js';
import type { Probe } from '../probe.js';
import { exchangeDatagrams, timedOut } from './datagram.js';
import { query, question, responseCode } from './dns_wire.js';
import { fullSuccess, ProbeFailed } from './failed.js';

type DnsSpec = Extract<ProbeSpec, { kind: 'dns' }>;

export function dnsProbe(spec: DnsSpec, random: Random): Probe {
  const asked = question(spec.name, DNS_TYPES[spec.type]);
  return {
    attempt(target, signal) {
      const id = below(random, 0x1_0000);
      return exchangeDatagrams(target, signal, {
        payload: query(id, asked),
        answered(datagram) {
          const code = responseCode(datagram, id, asked);
          if (code === null) return null;
          if (spec.rcodes.includes(code)) return fullSuccess(code);
          throw new ProbeFailed('not-ready', `answers ${code} for ${spec.name} ${spec.type}`);
        },
        silence: () => timedOut(`the answer for ${spec.name} ${spec.type}`),
      });
    },
  };
}
