/** The probe for a definition: the one place that knows all of them. */
import { unreachable } from '../../core/assert.js';
import type { ProbeSpec } from '../../core/health_spec.js';
import { Redactor } from '../../secrets/redactor.js';
import type { Probe, ProbeResult } from '../probe.js';
import { type Converse, conversingBy } from './connection.js';
import type { ProbeDeps } from './deps.js';
import { dnsProbe } from './dns.js';
import { fullSuccess } from './failed.js';
import { httpProbe } from './http.js';
import { mysqlProbe } from './mysql.js';
import { postgresProbe } from './postgres.js';
import { published } from './publish.js';
import { redisProbe } from './redis.js';
import { whenThereIsRoom } from './room.js';
import { sendExpectProbe } from './send_expect.js';
import { dialBySocket } from './socket_wire.js';
import { tcpProbe } from './tcp.js';
import { tlsProbe } from './tls.js';
import { udpProbe } from './udp.js';

/**
 * Makes the probe for `spec`; for `none`, one that always says yes (the checker never asks it).
 * What it finds out leaves it without the secrets that it knows.
 */
export function createProbe(spec: ProbeSpec, deps: ProbeDeps): Probe {
  const redactor = new Redactor();
  const probe = bareProbe(spec, deps, redactor);
  return {
    attempt: async (target, signal) => {
      const attempt = (): Promise<ProbeResult> => probe.attempt(target, signal);
      // Only the backlog of a unix socket says that it is full.
      const isUnix = target.endpoint.kind === 'unix';
      const found = isUnix ? whenThereIsRoom(attempt, signal, deps.timers) : attempt();
      return published(await found, redactor);
    },
  };
}

function bareProbe(spec: ProbeSpec, deps: ProbeDeps, redactor: Redactor): Probe {
  const converse = speaksTls(spec) ? OVER_SOCKETS : conversingBy(deps.dial ?? dialBySocket);
  switch (spec.kind) {
    case 'none':
      return { attempt: async () => fullSuccess() };
    case 'tcp':
      return tcpProbe(converse);
    case 'send-expect':
      return sendExpectProbe(spec, converse, redactor);
    case 'http':
      return httpProbe(spec, converse, redactor);
    case 'tls':
      return tlsProbe(spec, converse, deps.clock);
    case 'redis':
      return redisProbe(spec, converse, redactor);
    case 'postgres':
      return postgresProbe(spec, converse, deps, redactor);
    case 'mysql':
      return mysqlProbe(converse);
    case 'dns':
      return dnsProbe(spec, deps.random);
    case 'udp':
      return udpProbe(spec, redactor);
    default:
      return unreachable(spec);
  }
}

const OVER_SOCKETS: Converse = conversingBy(dialBySocket);

/** Node.js speaks TLS over its own sockets. */
function speaksTls(spec: ProbeSpec): boolean {
  return 'tls' in spec && spec.tls !== null;
}
