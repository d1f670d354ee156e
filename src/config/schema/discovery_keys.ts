/** The keys of `[[pools.NAME.discovery]]` that belong to some kinds of source, and to which. */
import type { SourceKind } from '../../core/discovery_spec.js';
import { type IpEndpoint, systemEndpoint } from '../../core/endpoint.js';
import { parseIpEndpoint } from '../address.js';
import { fault, fits, type Reading, readEach } from '../reading.js';
import { choice, duration, flag, integer, mixed } from './kinds.js';
import type { TableValue } from './node.js';
import { word } from './probe_values.js';

export const SOURCE_KINDS = ['dns', 'file', 'http'] as const satisfies readonly SourceKind[];

const FILE_PATH = /^\/[ -~\u00a0-\uffff]+$/;
/** RFC 1035, section 2.3.4, and the underscores of services. */
const DOMAIN_NAME = /^(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/;
/** Without a user: what stands there would be shown. */
const URL_FORM = /^https?:\/\/[^\s/?#@]+(?:[/?][!-~]*)?$/;
const MAX_SERVERS = 8;
const DNS_PORT = 53;

export const KIND = choice(SOURCE_KINDS, {
  otherwise: 'it must be given',
  example: 'dns',
  doc: 'Where the members are known: records of a DNS name, a file, or an address that answers over HTTP.',
});

export const SOURCE_KEYS = {
  name: word('a domain name', DOMAIN_NAME, {
    otherwise: 'nothing',
    example: 'pg.example.org',
    doc: 'The name that is asked for, as it is: no search list is tried, and /etc/hosts is not read.',
  }),
  port: integer({
    otherwise: 'nothing',
    example: 5432,
    min: 1,
    max: 65_535,
    doc: 'The port of every address; SRV records name their own.',
  }),
  srv: flag({
    default: false,
    doc: 'true: SRV records are asked for. Those of the lowest priority come first, the others are backups; weights above 1000 shrink together, and 0 becomes 1.',
  }),
  servers: mixed(
    {
      default: [],
      doc: 'Name servers, asked in turn. Empty: those of the system.',
    },
    'a list of up to 8 addresses, each with or without a port',
    { anyOf: [{ type: 'array', items: { type: 'string' }, maxItems: MAX_SERVERS }] },
    readServers,
  ),
  min_refresh: duration({
    default: '1s',
    min: '250ms',
    max: '1h',
    doc: 'A shorter TTL of an answer counts as this.',
  }),
  max_refresh: duration({
    default: '5m',
    min: '1s',
    max: '1d',
    doc: 'A longer TTL of an answer counts as this.',
  }),
  path: word('an absolute path', FILE_PATH, {
    otherwise: 'nothing',
    example: '/etc/sluice/members.json',
    doc: "The file: Prometheus' `file_sd` JSON, or one address a line with `#` for comments. It is looked at once a second, and a change counts when it has stood still for 200 ms; write a new file and rename it.",
  }),
  url: word('an http or https URL without a user', URL_FORM, {
    sensitive: true,
    otherwise: 'nothing',
    example: 'https://inventory.example.org/pg',
    doc: "What answers with Prometheus' `http_sd` JSON, always the full list. Up to three redirects are followed.",
  }),
  interval: duration({
    default: '30s',
    min: '1s',
    max: '1d',
    doc: 'How often it is asked.',
  }),
  token_file: word('an absolute path', FILE_PATH, {
    sensitive: true,
    otherwise: 'none',
    example: '/etc/sluice/inventory.token',
    doc: 'The file that holds a bearer token; read at each question, so that it can be rotated. It goes to the host of `url` only.',
  }),
  ca_file: word('an absolute path', FILE_PATH, {
    otherwise: "the system's",
    example: '/etc/ssl/certs/ca-certificates.crt',
    doc: 'PEM file of the authorities that are believed.',
  }),
} as const;

export type SourceKey = keyof typeof SOURCE_KEYS;
export type SourceValue = TableValue<typeof SOURCE_KEYS>;

interface SourceUse {
  readonly needs: readonly SourceKey[];
  readonly takes: readonly SourceKey[];
}

/** Which keys each kind of source takes, and which of them it cannot do without. */
export const SOURCE_USES: Readonly<Record<SourceKind, SourceUse>> = {
  dns: {
    needs: ['name'],
    takes: ['name', 'port', 'srv', 'servers', 'min_refresh', 'max_refresh'],
  },
  file: { needs: ['path'], takes: ['path'] },
  http: { needs: ['url'], takes: ['url', 'interval', 'token_file', 'ca_file'] },
};

/** The kinds of source that take `key`. */
export function sourcesWith(key: SourceKey): readonly SourceKind[] {
  return SOURCE_KINDS.filter((kind) => SOURCE_USES[kind].takes.includes(key));
}

function readServers(raw: unknown): Reading<readonly IpEndpoint[]> {
  if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
  if (raw.length > MAX_SERVERS) return fault('too-many', `more than ${MAX_SERVERS} servers`);
  return readEach(raw, readServer);
}

function readServer(raw: unknown): Reading<IpEndpoint> {
  if (typeof raw !== 'string') return fault('wrong-type', 'wrong type');
  const bare = raw.includes('%') ? null : systemEndpoint(raw, DNS_PORT);
  if (bare !== null) return fits(bare);
  const read = parseIpEndpoint(raw);
  if (read.ok && read.value.port === 0) return fault('out-of-range', 'port 0 cannot be asked');
  return read;
}
