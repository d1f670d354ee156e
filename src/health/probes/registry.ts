/** The probe for a definition: the one place that knows all of them. */
import { unreachable } from '../../core/assert.js';
import type { ProbeSpec } from '../../core/spec.js';
import type { Probe } from '../probe.js';
import type { ProbeDeps } from './deps.js';
import { dnsProbe } from './dns.js';
import { whole } from './failed.js';
import { httpProbe } from './http.js';
import { mysqlProbe } from './mysql.js';
import { postgresProbe } from './postgres.js';
import { redisProbe } from './redis.js';
import { sendExpectProbe } from './send_expect.js';
import { tcpProbe } from './tcp.js';
import { tlsProbe } from './tls.js';
import { udpProbe } from './udp.js';

/** Makes the probe for `spec`; for `none`, one that always says yes (the checker never asks it). */
export function createProbe(spec: ProbeSpec, deps: ProbeDeps): Probe {
  switch (spec.kind) {
    case 'none':
      return { attempt: async () => whole() };
    case 'tcp':
      return tcpProbe;
    case 'send-expect':
      return sendExpectProbe(spec);
    case 'http':
      return httpProbe(spec);
    case 'tls':
      return tlsProbe(spec, deps.clock);
    case 'redis':
      return redisProbe(spec);
    case 'postgres':
      return postgresProbe(spec, deps);
    case 'mysql':
      return mysqlProbe;
    case 'dns':
      return dnsProbe(spec, deps.random);
    case 'udp':
      return udpProbe(spec);
    default:
      return unreachable(spec);
  }
}
