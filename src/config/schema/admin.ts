/** `[admin]`: how the daemon is observed and operated. */
import type { IpEndpoint } from '../../core/endpoint.js';
import type { AdminSpec } from '../../core/spec.js';
import { parseIpEndpoint } from '../address.js';
import { fault, fits, type Reading } from '../reading.js';
import { text } from './kinds.js';
import { table, type ValueOf } from './node.js';

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
});

export function adminSpec(value: ValueOf<typeof ADMIN>): AdminSpec {
  return { http: value.http };
}
