/** `[admin]`: how the daemon is observed and operated. */
import type { IpEndpoint } from '../../core/endpoint.js';
import type { AdminSpec } from '../../core/spec.js';
import { parseIpEndpoint } from '../address.js';
import { fault, fits, type Reading, readEach } from '../reading.js';
import { flag, mixed, text } from './kinds.js';
import { table, type ValueOf } from './node.js';

/** More than a machine has names. */
const MAX_HOSTS = 64;
const MAX_NAME = 253;
const NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;

export const ADMIN = table('How the daemon is observed and operated.', {
  http: text(
    {
      default: '127.0.0.1:9600',
      doc: 'Where /metrics, /healthz, /ready, /health and the dashboard are served. "" is off. It has no access control: bind it to a private address.',
    },
    '"address:port", "[IPv6 address]:port", or "" for off',
    (raw): Reading<IpEndpoint | null> => (raw === '' ? fits(null) : parseIpEndpoint(raw)),
  ),
  socket: text(
    {
      default: '',
      doc: 'The UNIX socket of `sluice ctl`, with mode 0660. "" is off.',
    },
    'an absolute path, or "" for off',
    (raw): Reading<string | null> => {
      if (raw === '') return fits(null);
      return raw.startsWith('/') ? fits(raw) : fault('malformed', 'not an absolute path');
    },
  ),
  backend_histograms: flag({
    default: false,
    doc: 'true: the histograms of /metrics are per listener and backend, about 60 lines each. false: they are per pool.',
  }),
  hosts: mixed(
    {
      default: [],
      doc: 'Further names that a Host header may have. Loopback names and addresses are always accepted; any other name is refused, because a web page could have its own name lead here (DNS rebinding).',
    },
    'a list of host names without ports',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_HOSTS }] },
    (raw): Reading<readonly string[]> => {
      if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
      if (raw.length > MAX_HOSTS) return fault('too-many', `more than ${MAX_HOSTS} names`);
      return readEach(raw, readHost);
    },
  ),
});

function readHost(raw: unknown): Reading<string> {
  if (typeof raw !== 'string') return fault('wrong-type', 'wrong type');
  const name = raw.toLowerCase();
  const fitting = name.length <= MAX_NAME && NAME.test(name);
  return fitting ? fits(name) : fault('malformed', 'not a host name');
}

export function adminSpec(value: ValueOf<typeof ADMIN>): AdminSpec {
  return { http: value.http, hosts: value.hosts, backendHistograms: value.backend_histograms };
}
