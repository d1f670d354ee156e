/** `[[pools.NAME.backends]]`: one address that can serve. */
import { present } from '../../core/assert.js';
import { formatAddress } from '../../core/endpoint.js';
import { BACKEND_NAME_PATTERN } from '../../core/identity.js';
import type { BackendSpec } from '../../core/spec.js';
import { parseAddress } from '../address.js';
import { fault, fits } from '../reading.js';
import { flag, integer, text } from './kinds.js';
import { table, type ValueOf } from './node.js';

export const MAX_CONNECTIONS = 10_000_000;

export const BACKEND = table('One address that can serve.', {
  address: text(
    {
      required: true,
      example: '10.0.0.11:5432',
      doc: 'Where it is; "unix:/path" is for TCP. A name is resolved at start, at a reload and every 10 s; while its probes fail at one of its addresses, the others have their turn. While it has no address, the backend that served in its place goes on; `sluice check` does not look it up.',
    },
    '"host:port", "[IPv6 address]:port" or "unix:/path"',
    parseAddress,
  ),
  name: text(
    {
      otherwise: 'the address',
      example: 'pg1',
      doc: 'How logs, metrics and commands call it; unique in its pool. Not "*": `POOL/*` is all of a pool.',
    },
    '1 to 128 characters of ASCII without spaces, and not "*" alone',
    (raw) => {
      if (BACKEND_NAME_PATTERN.test(raw)) return fits(raw);
      const why = raw === '*' ? ': in commands it means all backends of a pool' : '';
      return fault('bad-name', `not a usable name${why}`);
    },
    BACKEND_NAME_PATTERN.source,
  ),
  weight: integer({
    default: 1,
    min: 0,
    max: 1_000,
    doc: 'Its share of the sessions relative to the others. 0: no new sessions.',
  }),
  max_connections: integer({
    otherwise: 'max_connections of the pool',
    example: 100,
    min: 0,
    max: MAX_CONNECTIONS,
    doc: 'Sessions at the same time, over all workers; never exceeded. 0 is no cap.',
  }),
  backup: flag({ default: false, doc: 'true: used only when no other backend is eligible.' }),
});

export type BackendValue = ValueOf<typeof BACKEND>;

/** The name of a backend, as configured or by default; undefined while it has neither. */
export function backendName(value: BackendValue): string | undefined {
  return value.name ?? (value.address === undefined ? undefined : formatAddress(value.address));
}

/** `value` has passed the checks. */
export function backendSpec(value: BackendValue, poolMaxConnections: number): BackendSpec {
  return {
    name: present(backendName(value), 'a checked backend has a name'),
    address: present(value.address, 'a checked backend has an address'),
    admin: 'ready',
    weight: value.weight,
    maxConnections: value.max_connections ?? poolMaxConnections,
    backup: value.backup,
  };
}
